#!/bin/sh
# opensessions: the entry for TPM and for `run-shell`.
#
#   run-shell "sh '/path/to/plugin.tmux'"                      a checkout; sets itself up
#   run-shell "sh '/path/to/plugin.tmux' '/path/to/python'"    an installed package (see: opensessions plugin-path)
#
# tmux waits for this script while it starts, so all the work is done in a process of its own. The Python is the
# user's @opensessions-python, else the argument, else that of the virtual environment which scripts/bootstrap makes.

if [ -z "$TMUX" ]; then
  echo "opensessions: plugin.tmux is run by tmux; put into your tmux.conf: run-shell \"sh '$0'\"" >&2
  exit 1
fi

case $0 in
  */*) here=$(CDPATH= cd -- "${0%/*}" && pwd) ;;
  *) here=$PWD ;;
esac

HOME=${HOME:-$(cd ~ && pwd)}
# tmux gives its jobs the PATH of whatever started it: on macOS or from a login manager that is very little.
PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/opt/local/bin:/home/linuxbrew/.linuxbrew/bin
PATH=$PATH:$HOME/.local/bin:$HOME/.cargo/bin:$HOME/.nix-profile/bin:/run/current-system/sw/bin
export HOME PATH

log=${OPENSESSIONS_STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/opensessions}/bootstrap.log
newline='
'

# $TMUX is "socket,pid,session"; the socket's path may hold commas.
socket=${TMUX%,*}
pid=${socket##*,}
socket=${socket%,*}

# The program of the running server speaks its protocol; after an upgrade its file is gone.
find_tmux() {
  program=$(readlink "/proc/$pid/exe" 2>/dev/null)
  [ -f "$program" ] && [ -x "$program" ] || program=$(command -v tmux)
}

t() {
  "$program" -u -S "$socket" "$@"
}

option() {
  t show-options -gqv "$1"
}

# bind TABLE KEY: show the notice on this key. What the key did is kept first, as opensessions_tmux/kept.py reads it.
bind() {
  text=$(t list-keys -T "$1" "$2")
  case $text in
    *@opensessions-path-* | *@opensessions-notice* | *"switch-client -T opensessions"*) ;;
    *)
      note=
      if [ -n "$text" ]; then
        note=$(t list-keys -N -P '' -T "$1" "$2")
        case $note in *' '*) note=${note#* } ;; *) note= ;; esac
      fi
      hex=$(printf %s "$2" | od -An -v -tx1 | tr -d ' \n')
      t set-option -g "@opensessions-kept-$1-$hex" "$note$newline$text"
      ;;
  esac
  case $2 in *';') set -- "$1" "${2%;}\\;" ;; esac
  t bind-key -N 'opensessions: what it is doing' -T "$1" "$2" display-message -d 4000 '#{@opensessions-notice}'
}

# Set the notice and show it on every key of ours, unless a working set of keys is there already (an update).
notice() {
  t set-option -g @opensessions-notice "opensessions: $1"
  [ -z "$(option @opensessions-path-scripts)" ] || return 0
  key=$(option @opensessions-prefix-key)
  bind prefix "${key:-o}"
  set -f
  for name in focus-key toggle-key attention-key popup-key index-keys; do
    for key in $(option "@opensessions-$name"); do
      bind root "$key"
    done
  done
  set +f
}

# One message: now, or when the first client comes.
fail() {
  notice "$1 (log: $log)"
  if [ -n "$(t list-clients -F x)" ]; then
    t display-message -d 10000 '#{@opensessions-notice}'
  elif [ -z "$(option @opensessions-path-scripts)" ]; then
    t set-hook -g 'client-attached[7340]' \
      "display-message -d 10000 '#{@opensessions-notice}' ; set-hook -gu 'client-attached[7340]'"
  fi
  exit 1
}

note() {
  (umask 077 && mkdir -p "${log%/*}" && printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$1" >>"$log")
}

# load PYTHON
load() {
  if ! said=$("$1" -P -m opensessions_tmux.install 2>&1); then
    note "$1 -m opensessions_tmux.install: $said"
    said=${said##*"$newline"}
    case $said in
      'opensessions: '*) fail "${said#opensessions: }" ;;
      *) fail "$1 cannot load it: $said" ;;
    esac
  fi
}

main() {
  find_tmux
  [ -n "$program" ] || { note 'tmux itself was not found; put its folder on PATH'; exit 1; }
  python=$(option @opensessions-python)
  python=${python:-$1}
  [ -n "$python" ] || python=$(sh "$here/scripts/bootstrap" --ready)
  if [ -z "$python" ]; then
    notice "installing… (log: $log)"
    said=$(sh "$here/scripts/bootstrap" --no-tmux 2>&1) || fail "${said##*"$newline"}"
    python=${said##*"$newline"}
  fi
  load "$python"
}

# `exec`, since a shell keeps what a function's redirection replaces: tmux would wait for the end of our output.
(
  exec </dev/null >/dev/null 2>&1
  main "$@"
) &
