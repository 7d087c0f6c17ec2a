// SPDX-License-Identifier: Apache-2.0
// The gateway as a WebSocket client of others sees it. usage: node ws.mjs PORT
import { request } from "node:http";
import { createRequire } from "node:module";

const { WebSocket } = createRequire(new URL("../package.json", import.meta.url))("ws");
const port = Number(process.argv[2]);
const url = `ws://127.0.0.1:${port}/channel`;
const WITHIN_MS = 10_000;

const connect = (token = "good") =>
  new WebSocket(url, { headers: { Authorization: `Bearer ${token}` }, perMessageDeflate: true });

const next = (socket, event) =>
  new Promise((resolve, reject) => {
    socket.once(event, (...values) => resolve(values));
    if (event !== "close") socket.once("close", (code) => reject(new Error(`closed with ${code}`)));
    if (event !== "error") socket.once("error", reject);
  });

const opened = async (token) => {
  const socket = connect(token);
  await next(socket, "open");
  return socket;
};

const echo = async (socket, text) => {
  socket.send(text);
  const [data, isBinary] = await next(socket, "message");
  same(isBinary, false);
  same(data.toString(), text);
};

const same = (got, wanted) => {
  if (got !== wanted) throw new Error(`got ${String(got).slice(0, 80)}, not ${String(wanted).slice(0, 80)}`);
};

const refusal = (token) =>
  new Promise((resolve, reject) => {
    const socket = connect(token);
    socket.once("unexpected-response", (_, response) => {
      response.resume();
      response.once("end", () => resolve(response));
    });
    socket.once("open", () => reject(new Error("was let in")));
    socket.once("error", () => {});
  });

const plain = (path, headers = {}) =>
  new Promise((resolve, reject) => {
    request({ port, path, host: "127.0.0.1", headers }, (response) => {
      let body = "";
      response.on("data", (piece) => (body += piece));
      response.on("end", () => resolve({ response, body }));
    })
      .on("error", reject)
      .end();
  });

const cases = {
  "messages come back, of every size class": async () => {
    const socket = await opened();
    same(socket.extensions, "");
    for (const size of [1, 125, 126, 127, 65_535, 65_536]) await echo(socket, "x".repeat(size));
    await echo(socket, "κόσμε 🚚");
    socket.close(1000, "done");
    const [code] = await next(socket, "close");
    same(code, 1000);
  },
  "fragments are one message, with a ping between them": async () => {
    const socket = await opened();
    socket.send("frag", { fin: false });
    socket.ping("between");
    socket.send("", { fin: false });
    const pong = next(socket, "pong");
    const message = next(socket, "message");
    socket.send("ment", { fin: true });
    same((await pong)[0].toString(), "between");
    same((await message)[0].toString(), "fragment");
    socket.close();
    await next(socket, "close");
  },
  "a thousand messages at once come back in order": async () => {
    const socket = await opened();
    const done = new Promise((resolve, reject) => {
      let count = 0;
      socket.on("message", (data) => {
        if (data.toString() !== `message ${count}`) reject(new Error(`${data} came as number ${count}`));
        if (++count === 1000) resolve();
      });
      socket.once("close", (code) => reject(new Error(`closed with ${code}`)));
    });
    for (let i = 0; i < 1000; i++) socket.send(`message ${i}`);
    await done;
    socket.close();
    await next(socket, "close");
  },
  "a message that is too big ends the channel with 1009": async () => {
    const socket = await opened();
    socket.send("x".repeat(65_537));
    same((await next(socket, "close"))[0], 1009);
  },
  "a binary message ends the channel with 1003": async () => {
    const socket = await opened();
    socket.send(Buffer.from("binary"));
    same((await next(socket, "close"))[0], 1003);
  },
  "text that is not UTF-8 ends the channel with 1007": async () => {
    const socket = await opened();
    socket.send(Buffer.from([0xce, 0xba, 0xff]), { binary: false });
    same((await next(socket, "close"))[0], 1007);
  },
  "a bad token is 401, and says what is wanted": async () => {
    const response = await refusal("evil");
    same(response.statusCode, 401);
    same(response.headers["www-authenticate"], "Bearer");
    same(response.headers["content-type"], "application/problem+json");
  },
  "a busy owner is 429, and says when to come again": async () => {
    const response = await refusal("busy");
    same(response.statusCode, 429);
    same(response.headers["retry-after"], "5");
  },
  "a plain request is 426, another path is 404": async () => {
    const { response, body } = await plain("/channel");
    same(response.statusCode, 426);
    same(response.headers["sec-websocket-version"], "13");
    same(JSON.parse(body).status, 426);
    same((await plain("/other")).response.statusCode, 404);
  },
  "headers of more than 8 KiB are 431": async () => {
    const { response } = await plain("/channel", { filler: "x".repeat(9000) });
    same(response.statusCode, 431);
  },
};

const within = (promise) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${WITHIN_MS} ms`)), WITHIN_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  try {
    await within(run());
    console.log(`ok ws: ${name}`);
  } catch (error) {
    failed = 1;
    console.log(`not ok ws: ${name}`);
    console.log(`# ${error.message}`);
  }
}
process.exit(failed);
