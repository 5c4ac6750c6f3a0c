/* The desk's own script: keys for what the page offers (attribute data-key), and formulas through KaTeX. */
"use strict";

(() => {
  const TYPED_INTO = "textarea, input:not([type=checkbox]):not([type=submit]), select";
  const OPTIONS = { throwOnError: false, trust: false, strict: "ignore", maxSize: 20, maxExpand: 200, output: "htmlAndMathml" };
  const MOST_FORMULAS = 300;

  function setFormulas(root) {
    if (!window.katex) return;
    [...root.querySelectorAll(".tex:not([data-set])")].slice(0, MOST_FORMULAS).forEach((element) => {
      const text = element.textContent;
      element.setAttribute("data-set", "");
      try {
        window.katex.render(text, element, { ...OPTIONS, displayMode: element.classList.contains("display") });
      } catch {
        element.textContent = text;
      }
    });
  }

  function use(element) {
    if (element instanceof HTMLFormElement) element.requestSubmit();
    else if (element.matches(TYPED_INTO)) element.focus();
    else element.click();
  }

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.altKey || event.metaKey || event.isComposing) return;
    if (target instanceof Element && target.matches(TYPED_INTO)) {
      if (event.key === "Escape") target.blur();
      const form = target.closest("form");
      if (event.key === "Enter" && event.ctrlKey && form) {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (event.ctrlKey || event.repeat) return;
    if (event.key === "Enter" && target instanceof Element && target.closest("a, button, summary")) return;
    const element = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!element) return;
    event.preventDefault();
    use(element);
  });

  function reckon(form) {
    const output = form.querySelector("output");
    if (!output) return;
    const most = Number(form.dataset.most);
    let sum = form.dataset.takesOff ? most : 0;
    form.querySelectorAll("input[name=tick]:checked").forEach((box) => { sum += Number(box.dataset.points); });
    sum += Number((form.elements.adjustment?.value || "0").replace(",", ".").replace("\u2212", "-")) || 0;
    const [all, score] = [sum, Math.min(Math.max(sum, 0), most)].map((points) => Math.round(points * 1e6) / 1e6);
    output.value = `${score} of ${most}${all === score ? "" : ` (${all} is cut to ${score})`}`;
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-most]");
    if (form) reckon(form);
  });
  document.addEventListener("change", (event) => {
    const choice = event.target.closest("select[data-fills]");
    if (choice && choice.value) {
      const field = document.getElementById(choice.dataset.fills);
      field.value = [field.value, choice.value].filter(Boolean).join("\n");
      choice.value = "";
      field.focus();
    }
  });

  function told(text) {
    const place = document.getElementById("trouble");
    if (!place) return;
    place.textContent = text;
    place.hidden = !text;
    if (text) document.querySelectorAll("[role=status] > .said:not(.bad)").forEach((said) => said.remove());
    if (text) place.scrollIntoView({ block: "nearest" });
  }

  // An answer with nothing ticked gets no points: the second Enter confirms it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const ticks = form.querySelectorAll("input[name=tick]");
    if (!form.dataset.most || form.dataset.zero || form.dataset.takesOff || !ticks.length) return;
    if (event.submitter?.dataset.asks || [...ticks].some((box) => box.checked) || form.elements.adjustment?.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    form.dataset.zero = "1";
    told("Nothing is ticked: press Enter again to give 0 points.");
  }, true);
  const OFFLINE = "Not saved: the desk does not answer. What you entered is still here; is `autograder desk` running?";
  // A button may have an address of its own; htmx knows that of the form only.
  document.addEventListener("htmx:configRequest", (event) => {
    const address = event.detail.triggeringEvent?.submitter?.getAttribute("formaction");
    if (address) event.detail.path = address;
  });
  // What was entered is lost by going elsewhere: ask first.
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.dataset.most) form.dataset.entered = "1";
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const leaves = event.detail.requestConfig.verb === "get" || event.detail.requestConfig.path === "/undo";
    if (!leaves || !document.querySelector("form[data-entered]")) return;
    if (!window.confirm("What you entered here is not saved. Leave it?")) event.preventDefault();
  });
  document.addEventListener("htmx:sendError", () => told(OFFLINE));
  document.addEventListener("htmx:timeout", () => told(OFFLINE));
  document.addEventListener("htmx:beforeRequest", () => told(""));
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 401) return;
    event.detail.shouldSwap = false;
    told("Not saved: your link is not valid any more. Open the newest one in another tab, then save here again.");
  });

  function begin() {
    setFormulas(document);
    document.querySelectorAll("form[data-most]").forEach(reckon);
    document.querySelector("[data-focus]")?.focus({ preventScroll: true });
  }
  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("htmx:beforeSwap", () => document.activeElement?.blur()); // else the same field keeps it
  document.addEventListener("htmx:afterSettle", () => {
    window.scrollTo(0, 0); // messages stand at the top
    begin();
  });
})();
