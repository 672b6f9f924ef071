// What a shop does after its own sign-up: it tells Tributary, in the browser.
(() => {
  const told = document.getElementById("signed-up");
  if (!told) return;
  window.tributary = window.tributary || function () { (window.tributary.q = window.tributary.q || []).push(arguments); };
  const { key, email, name } = told.dataset;
  window.tributary("signup", { key, email, name });
})();
