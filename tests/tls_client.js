// An unmodified client whose resolver finds Cobalt's names on this machine: node tls_client.js PORT CLIENT_ID SECRET TOKEN
// prints the status and the body of GET https://api.usecobalt.com/v1/providers.

const https = require("node:https");

const [port, client_id, client_secret, access_token] = process.argv.slice(2);
const loopback = { address: "127.0.0.1", family: 4 };

https
  .get("https://api.usecobalt.com/v1/providers", {
    port,
    headers: { client_id, client_secret, access_token },
    lookup: (_name, options, found) =>
      options.all ? found(null, [loopback]) : found(null, loopback.address, loopback.family),
  })
  .on("error", (problem) => process.stdout.write(problem.code))
  .on("response", async (answer) => {
    process.stdout.write(`${answer.statusCode} `);
    for await (const part of answer) process.stdout.write(part);
  });
