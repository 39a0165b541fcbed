// What the page asks the server. An answer is its JSON, or throws: a Refusal in the server's words, a Silence without any.

export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Silence extends Error {}

export async function asked(path, token) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  let answer, reply;
  try {
    answer = await fetch(path, { cache: "no-store", headers });
    reply = await answer.json();
  } catch (problem) {
    throw new Silence("no answer", { cause: problem });
  }
  if (!answer.ok) {
    throw new Refusal(reply.message, answer.status);
  }
  return reply;
}
