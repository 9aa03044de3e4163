# bash completion for litellm-tui; `litellm-tui completion bash` prints it
_litellm_tui() {
  local line=${COMP_LINE:0:COMP_POINT} value word cut=""
  local -a found=()
  # bash takes a word apart at some signs, and wants only what stands behind the last of them
  word=${line##*[[:space:]]}
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    cut=${word%"${word##*:}"}
  elif [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then
    cut=${word%"${word##*=}"}
  fi
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do found+=("$value"); done < <(compgen -f -- "${word#"$cut"}")
    else
      printf -v value %q "$value"
      found+=("${value#"$cut"}")
    fi
  done < <("${COMP_WORDS[0]}" completion --words --line "$line" 2>/dev/null)
  COMPREPLY=("${found[@]}")
}
complete -F _litellm_tui litellm-tui
