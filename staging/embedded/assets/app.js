// A like is sent once; the page stays as it was rendered.
for (const button of document.querySelectorAll('[data-like]')) {
  button.addEventListener('click', () => {
    button.disabled = true;
    button.textContent = Number(button.textContent) + 1;
  });
}
