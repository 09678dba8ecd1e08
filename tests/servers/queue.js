// Works on a queue of an Azure Queue account: node queue.js ENDPOINT ACCOUNT KEY QUEUE create | drain | sign PERMISSIONS SECONDS
//
// `drain` takes every message out and prints a JSON list of their texts as a consumer finds them, Base64 where that was sent.
// `sign` prints a shared access signature that ends so many seconds from now.
const { VERSION, call, hmac } = require("./azure.js");

const [endpoint, account, key, queue, action, permissions, seconds] = process.argv.slice(2);
const service = { endpoint, account, key };
const NAMED = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text) {
  const character = (code) => String.fromCodePoint(code[1] === "x" ? parseInt(code.slice(2), 16) : Number(code.slice(1)));
  return text.replace(/&(#x?[0-9a-fA-F]+|[a-z]+);/g, (_, code) => (code[0] === "#" ? character(code) : NAMED[code]));
}

async function drain() {
  const texts = [];
  for (;;) {
    const list = await call(service, "GET", `/${queue}/messages`, { numofmessages: "32" }, 200);
    const messages = [...list.matchAll(/<QueueMessage>(.*?)<\/QueueMessage>/gs)].map(([, message]) => {
      const value = (name) => unescape((message.match(new RegExp(`<${name}>(.*?)</${name}>`, "s")) ?? ["", ""])[1]);
      return { id: value("MessageId"), receipt: value("PopReceipt"), text: value("MessageText") };
    });
    if (messages.length === 0) {
      console.log(JSON.stringify(texts));
      return;
    }
    const remove = ({ id, receipt }) => call(service, "DELETE", `/${queue}/messages/${id}`, { popreceipt: receipt }, 204);
    await Promise.all(messages.map(remove));
    texts.push(...messages.map(({ text }) => text));
  }
}

function sign() {
  const expiry = new Date(Date.now() + Number(seconds) * 1000).toISOString().replace(/\.\d+Z/, "Z");
  const signed = [permissions, "", expiry, `/queue/${account}/${queue}`, "", "", "", VERSION].join("\n");
  console.log(`?${new URLSearchParams({ sv: VERSION, sp: permissions, se: expiry, sig: hmac(key, signed) })}`);
}

const actions = { create: () => call(service, "PUT", `/${queue}`, {}, 201), drain, sign };
actions[action]();
