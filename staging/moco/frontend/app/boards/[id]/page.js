import { notFound } from 'next/navigation';

import { ask } from '../../../lib/api.mjs';

export const dynamic = 'force-dynamic';

export default async function Board({ params }) {
  const id = Number((await params).id);
  if (!Number.isSafeInteger(id)) notFound();
  const board = await ask(`/boards/${id}`);
  if (!board) notFound();
  const comments = await ask(`/boards/${id}/comments`);
  return (
    <>
      <h1>{board.title}</h1>
      <article>{board.content}</article>
      <button data-like="">{board.likes}</button>
      <h2>comments</h2>
      <ol>
        {comments.content.map((comment) => (
          <li key={comment.id}>{comment.content}</li>
        ))}
      </ol>
    </>
  );
}
