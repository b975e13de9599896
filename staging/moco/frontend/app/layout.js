export const metadata = { title: 'moco' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <head>
        <link rel="stylesheet" href="/assets/app.css" />
        <script src="/assets/app.js" defer />
      </head>
      <body>
        <header>
          <img src="/assets/logo.svg" alt="" width="32" />
          <a href="/boards">boards</a>
        </header>
        {children}
      </body>
    </html>
  );
}
