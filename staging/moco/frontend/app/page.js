export default function Home() {
  return (
    <>
      <h1>moco</h1>
      <p>A board for small teams. <a href="/boards">Read on</a>.</p>
    </>
  );
}
