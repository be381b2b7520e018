// What the pages need beside htmx. Without any of it they can be read, and every form can be sent.
document.documentElement.classList.add('js');
for (const kind of ['input', 'change']) document.addEventListener(kind, (event) => {
  const form = event.target.closest('form:has(> .save)');   // Save and Undo appear once something changed.
  if (form && !event.target.matches('[role=switch]')) form.dataset.dirty = '';
});
document.addEventListener('reset', (event) => { delete event.target.dataset.dirty; });
document.addEventListener('keydown', (event) => {           // Escape closes a menu and gives the focus back.
  const menu = event.key === 'Escape' && document.activeElement.closest('details[open]');
  if (menu) { menu.open = false; menu.querySelector('summary').focus(); }
});
