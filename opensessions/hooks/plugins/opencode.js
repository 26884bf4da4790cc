const TOLD = new Set([
  "session.created", "session.updated", "session.deleted", "session.compacted", "session.status", "session.idle",
  "session.error", "permission.asked", "permission.updated", "permission.replied", "question.asked",
  "question.replied", "question.rejected", "message.updated", "message.part.updated",
])
const last = new Map() // message or tool call -> what was told of it: they are repeated for each piece of text

const news = (type, properties) => {
  let key, value
  if (type === "message.updated") {
    const info = properties?.info ?? {}
    key = info.id
    value = [info.finish, info.error?.name, info.time?.completed].join()
  } else if (type === "message.part.updated") {
    const part = properties?.part ?? {}
    if (part.type !== "tool") return false
    key = part.callID
    value = part.state?.status
  } else return true
  if (last.get(key) === value) return false
  last.delete(key)
  last.set(key, value)
  if (last.size > 200) last.delete(last.keys().next().value)
  return true
}

const parents = new Map() // a subagent's conversation -> the one that it works for
const asked = new Set() // questions and permissions that nobody has answered
const KEPT = 500

// What the server must know of an event besides its properties: only the plugin sees all conversations.
const described = (type, properties) => {
  const info = properties?.info
  if (type.startsWith("session.") && info?.parentID) parents.set(info.id, info.parentID)
  if (type === "permission.asked" || type === "question.asked") asked.add(properties?.id)
  if (["permission.replied", "question.replied", "question.rejected"].includes(type)) asked.delete(properties?.requestID)
  for (const known of [parents, asked]) if (known.size > KEPT) known.delete(known.keys().next().value)
  const told = { type, properties, open: asked.size }
  let root = properties?.sessionID ?? info?.id
  for (let depth = 0; parents.has(root) && depth < 8; depth++) {
    root = parents.get(root)
    told.child = true
    told.root = root
  }
  return told
}

export const OpenSessions = async () => {
  tell("plugin.start", {})
  return {
    event: async ({ event }) => {
      if (!TOLD.has(event?.type)) return
      const told = described(event.type, event.properties)
      if (news(event.type, event.properties)) tell(event.type, told)
    },
  }
}
