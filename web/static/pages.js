// What the pages need beside htmx. Without any of it they can be read, and every form can be sent.
document.documentElement.classList.add('js');
for (const kind of ['input', 'change']) document.addEventListener(kind, (event) => {
  const form = event.target.closest('form:has(> .save)');   // Save and Undo appear once something changed.
  if (form && !event.target.matches('[hx-post]')) form.dataset.dirty = '';
});
document.addEventListener('reset', (event) => { delete event.target.dataset.dirty; });
// News do not move what is under a finger: they wait until they are asked for.
document.addEventListener('htmx:sse:before:message', () => {
  const news = document.getElementById('news');
  if (news && window.scrollY > 160) news.dataset.held = '';
});
document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-show-news]')) return;
  delete document.getElementById('news').dataset.held;
  window.scrollTo(0, 0);
});
document.addEventListener('keydown', (event) => {           // Escape closes a menu and gives the focus back.
  const menu = event.key === 'Escape' && document.activeElement.closest('details[open]');
  if (menu) { menu.open = false; menu.querySelector('summary').focus(); }
});
