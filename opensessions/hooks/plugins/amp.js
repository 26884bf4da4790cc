// Events that only tell: the handlers of others decide something, and this plugin must decide nothing.
const TOLD = ["session.start", "agent.start", "agent.end"]

export default function (amp) {
  for (const type of TOLD) {
    amp.on(type, async (event) => {
      tell(type, { type, thread: event?.thread?.id, status: event?.status })
    })
  }
}
