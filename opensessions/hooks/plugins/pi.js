const TOLD = [
  "session_start", "session_shutdown", "input", "agent_start", "agent_end", "agent_settled", "turn_start", "turn_end",
  "message_start", "message_end", "tool_execution_start", "tool_execution_end",
]
const ask = (question) => {
  try {
    return question()
  } catch (_) {
    return undefined // this version does not have it
  }
}

export default function (pi) {
  for (const type of TOLD) {
    pi.on(type, async (event, context) => {
      tell(type, {
        type,
        session: ask(() => context.sessionManager.getSessionId()),
        file: ask(() => context.sessionManager.getSessionFile()),
        idle: ask(() => context.isIdle()),
        reason: event?.reason,
        role: event?.message?.role,
        stopReason: event?.message?.stopReason,
        errorMessage: event?.message?.errorMessage,
        toolName: event?.toolName,
        toolCallId: event?.toolCallId,
        isError: event?.isError,
      })
    })
  }
}
