// Whoever opened Link: a page around this one (the lightbox of init.js), or a browser window that is sent on to a callback URL.

export const inLightbox = new URLSearchParams(location.search).get("mode") === "lightbox" && window.parent !== window;

// The origin of the page around this one. The browser names it with the first message, which comes before anything can be told.
let around = null;

if (inLightbox) {
  addEventListener("message", ({ source, origin, data }) => {
    if (source === window.parent && data?.cobaltLink === "opened") {
      around ??= origin === "null" ? "*" : origin; // a page from a file has no origin that could be named
    }
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) {
      tell({ cobaltLink: "closed" });
    }
  });
}

function tell(message) {
  if (around !== null) {
    window.parent.postMessage(message, around);
  }
}

// The account is linked. From now on the page around hands the token on, however Link is closed.
export function connected(publicToken) {
  tell({ cobaltLink: "connected", publicToken });
}

export function close() {
  tell({ cobaltLink: "closed" });
}

// The callback URL with `token` added. Its own query stays as it is, to the letter.
export function withToken(callback, publicToken) {
  const url = new URL(callback);
  url.search += `${url.search ? "&" : "?"}token=${encodeURIComponent(publicToken)}`;
  return url.href;
}
