// Notes whatever goes wrong on the page, where a person or a test can read it.
(() => {
  const root = document.documentElement;
  const errors = [];
  const note = (what) => {
    errors.push(String(what));
    root.setAttribute("data-errors", errors.join(" | ").slice(0, 2000));
  };
  window.addEventListener("error", (event) => note(event.message || "a resource failed"), true);
  window.addEventListener("unhandledrejection", (event) => note(event.reason));
  document.addEventListener("securitypolicyviolation", (event) =>
    note(`blocked ${event.violatedDirective} ${event.blockedURI}`));
})();
