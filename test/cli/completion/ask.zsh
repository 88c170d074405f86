# What zsh does at the tab key, with stand-ins for what its line editor brings: the script, then the words before the cursor.
compdef() { }
_files() { print -l -- *(N) }
_describe() { print -l -- ${${(P)2}%%:*} }
source "$1"
shift
words=("$@")
CURRENT=$#
_tributary
