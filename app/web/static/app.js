// On top of htmx, which sends the forms that change work items and swaps the answer in.
// Everything works without both.

let focused = ""; // the id of what had the focus before a swap

// A box is ticked and an add field is free for the next title at once; the answer may take a while.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches(".add")) ctx.sourceElement.elements.title.value = "";
  flip(ctx.request.submitter);
});

// A form in which something is typed stays as it is, with what it says it showed, until its own answer is there.
document.addEventListener("input", ({ target }) => setTyped(target.form, true));

// An error page would take the place of what was typed, so what it says goes into a bar.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const { status } = ctx.response;
  focused = document.activeElement?.id;
  if (status < 400 || status === 422) {
    setTyped(ctx.sourceElement, false);
    return;
  }
  event.preventDefault();
  const problem = new DOMParser().parseFromString(ctx.text, "text/html").getElementById("problem");
  fail(problem?.textContent.trim() ?? `The server answered with error ${status}. Try again in a moment.`, ctx);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  document.getElementById("failed").hidden = true;
  if (ctx.response.status < 400) closeEditor(ctx);
  else {
    setTyped(ctx.sourceElement, true);
    giveBack(ctx);
  }
  if (document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => fail("The server can't be reached. Try again in a moment.", ctx));

function setTyped(form, typed) {
  if (form?.matches(".details, .edit")) form.toggleAttribute("hx-morph-skip", typed);
}

function closeEditor({ sourceElement: form }) {
  const editor = form.closest("details");
  if (!editor) return;
  editor.open = false;
  editor.querySelector("summary").focus();
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
  bar.textContent = `${title ? `“${title}” was not saved. ` : ""}${what}`;
  bar.hidden = false;
  if (!ctx) return;
  giveBack(ctx);
  flip(ctx.request.submitter);
}
