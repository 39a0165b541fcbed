// The script that a client page loads: window.CobaltLink.init({ token, onSuccess }) opens Link in a lightbox over that page.

(() => {
  "use strict";

  const home = new URL(document.currentScript.src).origin;

  // Within a shadow tree: neither do the page's styles reach the lightbox, nor its own styles the page.
  const STYLE = `
    :host {
      display: block !important;
    }
    dialog {
      box-sizing: border-box;
      position: fixed;
      inset: 0;
      width: 100%;
      height: 100%;
      max-width: none;
      max-height: none;
      margin: 0;
      padding: 0 16px 16px;
      border: 0;
      overflow: hidden;
      background: rgb(10 15 30 / 72%);
      animation: appear 0.15s ease-out;
    }
    dialog[open] {
      display: flex;
      flex-direction: column;
      align-items: center;
      justify-content: center;
    }
    dialog::backdrop {
      background: none;
    }
    .panel {
      display: flex;
      flex-direction: column;
      width: 100%;
      max-width: 480px;
      height: 100%;
      max-height: 800px;
    }
    button {
      flex: none;
      align-self: flex-end;
      width: 44px;
      height: 44px;
      margin: 4px 0;
      padding: 0;
      border: 0;
      border-radius: 50%;
      background: none;
      color: #fff;
      font: 28px/1 system-ui, sans-serif;
      cursor: pointer;
    }
    button:hover {
      background: rgb(255 255 255 / 16%);
    }
    button:focus-visible {
      outline: 3px solid #8fb0ff;
      outline-offset: -2px;
    }
    iframe {
      flex: 1;
      display: block;
      width: 100%;
      min-height: 0;
      border: 0;
      border-radius: 16px;
      background: Canvas;
    }
    @keyframes appear {
      from { opacity: 0; }
    }
    @media (max-width: 520px) {
      dialog { padding: 0; }
      button { margin: 2px 4px; }
      iframe { border-radius: 16px 16px 0 0; }
    }
    @media (prefers-reduced-motion: reduce) {
      dialog { animation: none; }
    }
  `;

  let closeFormer = () => {};

  function element(name, properties) {
    return Object.assign(document.createElement(name), properties);
  }

  function lightbox(address) {
    const host = document.createElement("cobalt-link");
    const dialog = element("dialog", { ariaLabel: "Cobalt Link" });
    const panel = element("div", { className: "panel" });
    const button = element("button", { type: "button", ariaLabel: "Close Cobalt Link" });
    const frame = element("iframe", { title: "Cobalt Link", src: address });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const shadow = host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    button.append(element("span", { textContent: "×", ariaHidden: "true" }));
    panel.append(button, frame);
    dialog.append(panel);
    shadow.append(dialog);
    return { host, dialog, button, frame };
  }

  function open(token, onSuccess) {
    const query = new URLSearchParams({ token, mode: "lightbox" });
    const { host, dialog, button, frame } = lightbox(`${home}/link?${query}`);
    const root = document.documentElement;
    const scrolling = root.style.overflow;
    let publicToken = null;

    function hear({ origin, source, data }) {
      if (origin !== home || source !== frame.contentWindow) {
        return;
      }
      if (data.cobaltLink === "connected") {
        publicToken = data.publicToken;
      } else if (data.cobaltLink === "closed") {
        close();
      }
    }

    function close() {
      if (!host.isConnected) {
        return;
      }
      closeFormer = () => {};
      removeEventListener("message", hear);
      dialog.close();
      host.remove();
      root.style.overflow = scrolling;
      if (publicToken !== null) {
        onSuccess(publicToken);
      }
    }

    addEventListener("message", hear);
    frame.addEventListener("load", () => frame.contentWindow?.postMessage({ cobaltLink: "opened" }, home));
    button.addEventListener("click", close);
    dialog.addEventListener("close", close); // by Escape

    document.body.append(host);
    root.style.overflow = "hidden";
    dialog.showModal(); // the page behind is inert until it is closed; then the focus goes back to where it was
    frame.focus();
    closeFormer = close;
  }

  function init(config) {
    const { token, onSuccess } = config ?? {};
    if (typeof token !== "string" || token === "") {
      throw new TypeError("CobaltLink.init: `token` must be the link token that POST /link/token/create answered with.");
    }
    if (typeof onSuccess !== "function") {
      throw new TypeError("CobaltLink.init: `onSuccess` must be a function; it is called with the public token.");
    }
    closeFormer();
    open(token, onSuccess);
  }

  window.CobaltLink = { init };
})();
