#compdef litellm-tui
# zsh completion for litellm-tui; `litellm-tui completion zsh` prints it
_litellm-tui() {
  local line value about
  local -a found
  for line in "${(@f)$(_call_program answer ${(q)words[1]} completion --words ${(q)words[1,CURRENT]} 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files ]]; then
      _files
      return
    fi
    value=${line%%$'\t'*}
    about=${line#*$'\t'}
    [[ $about == $line ]] && about=
    found+=("${value//:/\\:}${about:+:$about}")
  done
  _describe -t values litellm-tui found
}
if [[ $funcstack[1] == _litellm-tui ]]; then
  _litellm-tui "$@"
elif (( $+functions[compdef] )); then
  compdef _litellm-tui litellm-tui
fi
