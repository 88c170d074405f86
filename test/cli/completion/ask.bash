# What bash does at the tab key: the script, then the words before the cursor, the last of them unfinished.
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_tributary
printf '%s\n' "${COMPREPLY[@]}"
