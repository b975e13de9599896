import { ask } from '../../lib/api.mjs';

export const dynamic = 'force-dynamic';

export default async function Boards() {
  const boards = await ask('/boards?page=1');
  return (
    <>
      <h1>boards</h1>
      <ul>
        {boards.content.map((board) => (
          <li key={board.id}>
            <a href={`/boards/${board.id}`}>{board.title}</a> {board.likes}
          </li>
        ))}
      </ul>
      <p>page {boards.page} of {boards.totalPages}</p>
    </>
  );
}
