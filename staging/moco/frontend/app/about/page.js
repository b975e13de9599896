export default function About() {
  return (
    <>
      <h1>about</h1>
      <p>A small service on AWS, as a small team writes it.</p>
    </>
  );
}
