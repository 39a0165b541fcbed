// What the page asks the server. Every answer is its JSON, or throws: a Refusal in the server's words, a Silence without any.

export class Refusal extends Error {}

export class Silence extends Error {}

async function asked(path, settings) {
  let answer, reply;
  try {
    answer = await fetch(path, { cache: "no-store", ...settings });
    reply = await answer.json();
  } catch (problem) {
    throw new Silence("no answer", { cause: problem });
  }
  if (!answer.ok) {
    throw new Refusal(reply.message);
  }
  return reply;
}

export function opened(token) {
  return asked(`/link/session?token=${encodeURIComponent(token)}`);
}

export function signedIn(token, credentials) {
  return asked("/link/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token, ...credentials }),
  });
}
