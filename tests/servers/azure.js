// Requests to the Azure storage emulator, signed with the account's key.
const crypto = require("node:crypto");

const VERSION = "2021-12-02";

function hmac(key, text) {
  return crypto.createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
}

// Makes a request and gives its answer's text; ends the process when the answer is another than expected.
async function call({ endpoint, account, key }, method, path, query, expected) {
  const date = new Date().toUTCString();
  // Shared Key: verb, eleven empty standard headers, the x-ms- headers, the resource (an emulator names the account twice).
  const signed = [
    method, ...Array(11).fill(""),
    `x-ms-date:${date}`, `x-ms-version:${VERSION}`,
    `/${account}${new URL(endpoint).pathname}${path}`,
    ...Object.keys(query).sort().map((name) => `${name}:${query[name]}`),
  ].join("\n");
  const answer = await fetch(`${endpoint}${path}?${new URLSearchParams(query)}`, {
    method,
    headers: {
      "x-ms-date": date,
      "x-ms-version": VERSION,
      authorization: `SharedKey ${account}:${hmac(key, signed)}`,
    },
  });
  const text = await answer.text();
  if (answer.status !== expected) {
    console.error(answer.status, text);
    process.exit(1);
  }
  return text;
}

module.exports = { VERSION, call, hmac };
