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

export const OpenSessions = async () => {
  tell("plugin.start", {})
  return {
    event: async ({ event }) => {
      if (TOLD.has(event?.type) && news(event.type, event.properties)) {
        tell(event.type, { type: event.type, properties: event.properties })
      }
    },
  }
}
