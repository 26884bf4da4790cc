import { connect } from "node:net"
import { lstatSync, readFileSync } from "node:fs"
import { resolve } from "node:path"

const SENT = 48 * 1024 // bytes of a payload
const TEXT = 2000 // characters of each text in it
const QUEUE = 256 // events that wait while the server is busy; the oldest go first
const PATIENCE = 1000 // milliseconds for the server to take what it is told

const ancestors = () => {
  const found = [String(process.pid)]
  let pid = process.ppid
  while (pid > 1 && found.length < 6) {
    found.push(String(pid))
    try {
      pid = Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(")").pop().trim().split(" ")[1])
    } catch (_) {
      break // no /proc here
    }
  }
  return found.join(",")
}

const runtimes = () => {
  const env = process.env
  if (env.OPENSESSIONS_RUNTIME_DIR) return [resolve(env.OPENSESSIONS_RUNTIME_DIR)]
  const user = process.geteuid()
  const found = env.XDG_RUNTIME_DIR ? [`${env.XDG_RUNTIME_DIR}/opensessions`] : []
  for (const base of [env.TMPDIR, "/tmp"]) if (base) found.push(`${base}/opensessions-${user}`)
  found.splice(1, 0, `/run/user/${user}/opensessions`)
  return [...new Set(found)]
}

// Only in a folder that is ours alone can the server be ours.
const server = () => {
  for (const runtime of runtimes()) {
    try {
      const found = lstatSync(runtime)
      if (!found.isDirectory() || found.uid !== process.geteuid() || found.mode & 0o077) continue
      if (lstatSync(`${runtime}/server.sock`).isSocket()) return `${runtime}/server.sock`
    } catch (_) {
      continue // not there
    }
  }
  return ""
}

const cwd = () => {
  try {
    return process.cwd()
  } catch (_) {
    return "" // it was removed
  }
}

const frame = (event, data) => {
  const env = process.env
  let payload = ""
  try {
    payload = JSON.stringify(data, (_, value) => (typeof value === "string" ? value.slice(0, TEXT) : value)) ?? ""
  } catch (_) {
    payload = "" // it holds itself: the event alone is worth telling
  }
  const told = {
    verb: "agent-hook", agent: AGENT, event, at: String(Date.now() / 1000),
    pane: env.TMUX_PANE ?? "", tmux: (env.TMUX ?? "").split(",").slice(0, -2).join(","),
    pid: ancestors(), cwd: cwd(),
  }
  if (env.ZELLIJ_SESSION_NAME) told.zellij = `${env.ZELLIJ_SESSION_NAME}/${env.ZELLIJ_PANE_ID ?? ""}`
  const bytes = Buffer.from(payload)
  if (bytes.length > SENT) told.cut = "1"
  told.payload = bytes.subarray(0, SENT).toString()
  const fields = Object.entries(told).map(([name, value]) => `${name}=${value}`.replaceAll("\0", ""))
  const body = Buffer.from(fields.join("\0"))
  const head = Buffer.alloc(5)
  head.write("T", 0, "latin1")
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

const queue = []
let talking = false

// One connection at a time, so that events arrive in their order. Without a server there is nobody to tell.
const talk = () => {
  if (talking || !queue.length) return
  const path = server()
  if (!path) {
    queue.length = 0
    return
  }
  talking = true
  const line = connect(path)
  const timer = setTimeout(() => line.destroy(), PATIENCE)
  timer.unref?.()
  line.unref?.()
  line.on("error", () => {}) // its end follows
  line.on("connect", () => line.end(Buffer.concat(queue.splice(0)), () => line.destroy()))
  line.on("data", () => {})
  line.on("close", () => {
    clearTimeout(timer)
    talking = false
    if (line.bytesWritten) talk()
    else queue.length = 0
  })
}

const tell = (event, data) => {
  try {
    queue.push(frame(event, data))
    if (queue.length > QUEUE) queue.shift()
    talk()
  } catch (_) {
    queue.length = 0 // a system without Unix sockets, or without user ids: the agent must not suffer
  }
}
