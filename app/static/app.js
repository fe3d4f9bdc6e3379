// On top of htmx, which sends the forms that change work items and swaps the answer in.
// Everything works without both.

let focused = ""; // the id of what had the focus before a swap

document.addEventListener("htmx:before:request", (event) => {
  // What is typed on while the answer is under way replaces what was sent.
  if (event.detail.ctx.sourceElement.matches(".add")) document.activeElement.select?.();
});

document.addEventListener("htmx:before:swap", (event) => {
  focused = document.activeElement?.id;
  if (!event.detail.ctx.text.includes('id="main"')) {
    event.preventDefault(); // something in front of the app answered
    fail(`The server answered with error ${event.detail.ctx.response.status}.`);
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  const { sourceElement: form, request, response } = event.detail.ctx;
  document.getElementById("failed").hidden = true;
  if (form.isConnected && form.matches("form") && response.status < 400) settle(form, request);
  if (document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
});

document.addEventListener("htmx:error", () => fail("The server can't be reached."));

// Shows what the server made of the form, and closes the editor it stood in.
function settle(form, request) {
  const sent = (name) => request.body?.get(name);
  const typedOn = [...form.elements].some((field) => field.matches("input, textarea") && sent(field.name) !== field.value);
  if (request.body && !typedOn) form.reset();
  const editor = form.closest("details");
  if (editor?.open) {
    editor.open = false;
    editor.querySelector("summary").focus();
  }
}

function fail(what) {
  const bar = document.getElementById("failed");
  bar.textContent = `${what} Nothing was saved; what you typed is still here. Try again in a moment.`;
  bar.hidden = false;
}
