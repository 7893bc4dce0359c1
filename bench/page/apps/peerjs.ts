import { Peer } from "peerjs";
import { answers, parameters } from "./app.ts";

const callee = "callee";
const server = { host: location.hostname, port: Number(parameters.get("peerjs")), config: { iceServers: [] } };
const { promise: reply, resolve } = Promise.withResolvers<number>();
const peer = answers ? new Peer(callee, server) : new Peer(server);
globalThis.app = { reply, id: () => peer.id, changes: () => 0 };

peer.on("connection", (connection) => connection.on("data", (data) => void connection.send(data)));
peer.on("open", () => {
  if (answers) return;
  const connection = peer.connect(callee);
  connection.on("open", () => void connection.send("Hello"));
  connection.on("data", () => resolve(performance.now()));
});
