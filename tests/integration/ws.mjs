// SPDX-License-Identifier: Apache-2.0
// The gateway as a WebSocket client of others sees it. usage: node ws.mjs PORT SECURE_PORT CA
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";

const { WebSocket } = createRequire(new URL("../package.json", import.meta.url))("ws");
const port = Number(process.argv[2]);
const securePort = Number(process.argv[3]);
const ca = readFileSync(process.argv[4]);
const url = `ws://127.0.0.1:${port}/channel`;
const WITHIN_MS = 10_000;

const connect = (protocols = ["other", "echo.1"]) => new WebSocket(url, protocols, { perMessageDeflate: true });

/** What the socket's next `event` carries; its end or an error before that is a failure. */
const next = (socket, event) =>
  new Promise((resolve, reject) => {
    const listeners = {
      close: (code) => reject(new Error(`closed with ${code}`)),
      error: reject,
      [event]: (...values) => resolve(values),
    };
    const settle = (listener) => (...values) => {
      for (const name in listeners) socket.off(name, listeners[name]);
      listener(...values);
    };
    for (const name in listeners) {
      listeners[name] = settle(listeners[name]);
      socket.on(name, listeners[name]);
    }
  });

/** The first frame is the gateway's, and is there with its answer to the upgrade. */
const greeted = async (socket) => {
  const greeting = next(socket, "message");
  await next(socket, "open");
  same(socket.protocol, "echo.1");
  return (await greeting)[0].toString();
};

const opened = async () => {
  const socket = connect();
  same(await greeted(socket), "none");
  await echo(socket, "good");
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

const refusal = (protocols) =>
  new Promise((resolve, reject) => {
    const socket = connect(protocols);
    socket.once("unexpected-response", (_, response) => {
      let body = "";
      response.on("data", (piece) => (body += piece));
      response.once("end", () => resolve({ response, body: JSON.parse(body) }));
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
  "whoever says nothing that is known is answered, and gone with 1008": async () => {
    const socket = connect();
    await greeted(socket);
    await echo(socket, "evil");
    same((await next(socket, "close"))[0], 1008);
  },
  "a stranger's message of more than its limit ends with 1009": async () => {
    const socket = connect();
    await greeted(socket);
    socket.send("x".repeat(1025));
    same((await next(socket, "close"))[0], 1009);
  },
  "another protocol, or none, is 400 and told which one is spoken": async () => {
    for (const protocols of [["echo.2", "other"], []]) {
      const { response, body } = await refusal(protocols);
      same(response.statusCode, 400);
      same(response.headers["content-type"], "application/problem+json");
      same(response.headers["sec-websocket-protocol"], "echo.1");
      same(body.detail, "Sec-WebSocket-Protocol does not offer what is spoken here");
    }
  },
  "the channel binding is what RFC 9266 says": async () => {
    // In TLS 1.2 an empty context, which the RFC wants, is not the same as none (RFC 5705).
    for (const [version, context] of [["TLSv1.3", undefined], ["TLSv1.2", Buffer.alloc(0)]]) {
      const options = { ca, minVersion: version, maxVersion: version };
      const socket = new WebSocket(`wss://127.0.0.1:${securePort}/channel`, "echo.1", options);
      const greeting = await greeted(socket);
      const binding = socket._socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", context);
      same(socket._socket.getProtocol(), version);
      same(greeting, binding.toString("base64"));
      socket.terminate();
    }
  },
  "a plain request is 426, another path is 404": async () => {
    const { response, body } = await plain("/channel");
    same(response.statusCode, 426);
    same(response.headers["sec-websocket-version"], "13");
    same(JSON.parse(body).status, 426);
    same((await plain("/other")).response.statusCode, 404);
  },
  "headers of more than 16 KiB are 431": async () => {
    const { response } = await plain("/channel", { filler: "x".repeat(17000) });
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
