// On top of htmx, which sends the forms that change work items and swaps the answer in.
// Everything works without both.

let focused = ""; // the id of what had the focus before a swap

// A box is ticked and an add field is free for the next title at once; the answer may take a while.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches(".add")) ctx.sourceElement.elements.title.value = "";
  flip(ctx.request.submitter);
});

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  focused = document.activeElement?.id;
  if (!ctx.text.includes('id="main"')) {
    event.preventDefault(); // something in front of the app answered
    fail(`The server answered with error ${ctx.response.status}`, ctx);
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  document.getElementById("failed").hidden = true;
  if (ctx.response.status < 400) settle(ctx);
  else giveBack(ctx);
  if (document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => fail("The server can't be reached", ctx));

// Shows what the server made of the form, unless it was typed on meanwhile, and closes the editor it stood in.
function settle({ sourceElement: form, request }) {
  if (!form.matches("form:not(.add)") || !request.body) return; // #main, where the form itself is gone
  const typedOn = [...form.elements].some((field) => field.type !== "submit" && request.body.get(field.name) !== field.value);
  if (!typedOn) form.reset();
  const editor = form.closest("details");
  if (editor) {
    editor.open = false;
    editor.querySelector("summary").focus();
  }
}

function giveBack({ sourceElement: form, request }) {
  if (form.matches(".add")) form.elements.title.value ||= request.body.get("title");
}

function flip(box) {
  if (box?.matches(".tick")) box.ariaChecked = String(box.ariaChecked !== "true");
}

function fail(what, ctx) {
  const title = ctx?.request.body?.get("title");
  const bar = document.getElementById("failed");
  bar.textContent = `${what}, so ${title ? `“${title}”` : "this"} was not saved. Try again in a moment.`;
  bar.hidden = false;
  if (!ctx) return;
  giveBack(ctx);
  flip(ctx.request.submitter);
}
