// Keeps what passes the sockets to the gateway, both ways, in $VEDETTE_TRAFFIC: the test looks for it in the state folder afterwards (check_state.py).
"use strict";
const fs = require("fs"), net = require("net"), stream = require("stream");
const port = Number((process.env.GATEWAY || "").split(":").pop());
const file = process.env.VEDETTE_TRAFFIC;
let left = 64 << 20;

function keep(socket, data) {
  if (!file || !data || left <= 0 || socket.remotePort !== port) return;
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  left -= bytes.length;
  fs.appendFileSync(file, bytes);
}

const { _write, _writev } = net.Socket.prototype;
net.Socket.prototype._writev = function (chunks, done) {
  for (const c of chunks) keep(this, c.chunk);
  return _writev.call(this, chunks, done);
};
net.Socket.prototype._write = function (data, encoding, done) {
  keep(this, data);
  return _write.call(this, data, encoding, done);
};
const { push } = stream.Readable.prototype;
stream.Readable.prototype.push = function (data, ...rest) {
  if (this instanceof net.Socket) keep(this, data);
  return push.call(this, data, ...rest);
};
