# SPDX-License-Identifier: GPL-2.0
#
# Completion of the controller's command lines in bash.  Commands, options and VMs are
# those that the controller itself lists.

# _lodge_commands: the names of all commands
_lodge_commands() {
	"${COMP_WORDS[0]}" --help 2>/dev/null |
		sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'
}

# _lodge_help COMMAND: its help; lodge fuzz takes most options of lodge run, too
_lodge_help() {
	if [ "$1" = fuzz ]; then
		"${COMP_WORDS[0]}" run --help 2>/dev/null |
			sed -E '/^Examples:/,$d; /--(detach|root|command)/d'
	fi
	"${COMP_WORDS[0]}" "$1" --help 2>/dev/null
}

# _lodge_options COMMAND: its long options, with = if they take a value
_lodge_options() {
	_lodge_help "$1" |
		sed -nE '/^Examples:/,$d; s/^  (-., |    )(--[a-z-]+=?).*/\2/p'
}

# _lodge_takes COMMAND OPTION: whether it takes a value
_lodge_takes() {
	_lodge_help "$1" |
		sed -nE '/^Examples:/,$d; s/^  (-.|  )[, ] (--[a-z-]+)=.*/\1 \2/p' |
		grep -w -e "$2" >/dev/null
}

# _lodge_vms: the names of the VMs that this user sees
_lodge_vms() {
	"${COMP_WORDS[0]}" ps 2>/dev/null | sed -nE '2,$s/ .*//p'
}

# _lodge_machines: the names of this user's machines, with those that have ended
_lodge_machines() {
	"${COMP_WORDS[0]}" ps --all 2>/dev/null | sed -nE '2,$s/ .*//p'
}

# _lodge_ids: their IDs
_lodge_ids() {
	"${COMP_WORDS[0]}" ps --json 2>/dev/null |
		grep -o '{"id": [0-9]*' | sed 's/.* //'
}

# _lodge_limits: those that the command line does not set yet
_lodge_limits() {
	local limit
	for limit in vms vcpus tables kernel; do
		[[ " ${COMP_WORDS[*]} " == *" $limit"[\ =]* ]] || echo $limit=
	done
}

# _lodge_devices: the devices that lodge run --device can add
_lodge_devices() {
	"${COMP_WORDS[0]}" run --device help 2>/dev/null |
		sed -nE 's/^([a-z0-9-]+).*/\1/p'
}

# _lodge_device_keys DEVICE: lines KEY=WORD, where WORD stands for the key's value
_lodge_device_keys() {
	"${COMP_WORDS[0]}" run --device "$1,help" 2>/dev/null |
		sed -nE 's/^  ,([a-z0-9_-]+=[^ ]+)  .*/\1/p'
}

# _lodge_device: completes the device's name, or the first of its keys
_lodge_device() {
	local keys
	if [[ $typed != *,* ]]; then
		_lodge_offer help "$(_lodge_devices)"
		return
	fi
	keys=$(_lodge_device_keys "${typed%%,*}" | sed 's/=.*/=/')
	mapfile -t COMPREPLY < <(compgen -P "${typed%%,*}," -W "$keys" -- "${typed#*,}")
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null || :
}

# _lodge_device_value DEVICE KEY: completes a file, or one of several words
_lodge_device_value() {
	local word
	word=$(_lodge_device_keys "$1" | sed -n "s/^$2=//p")
	case $word in
	FILE | PATH) _lodge_files ;;
	DIRECTORY) _lodge_directories ;;
	*[!a-z0-9_\|]*) ;;
	*\|*) _lodge_offer "${word//|/ }" ;;
	esac
}

# _lodge_offer WORD...: those that begin with what was typed
_lodge_offer() {
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$typed")
	[[ ${COMPREPLY[0]-} != *[=:] ]] || compopt -o nospace 2>/dev/null || :
}

_lodge_files() {
	mapfile -t COMPREPLY < <(compgen -f -- "$typed")
	compopt -o filenames 2>/dev/null || :
}

_lodge_directories() {
	mapfile -t COMPREPLY < <(compgen -d -- "$typed")
	compopt -o filenames 2>/dev/null || :
}

# _lodge_place: completes the path of unix:PATH, of which bash makes three words; false if
# what is typed is no such place
_lodge_place() {
	if [ "$typed" = : ]; then
		[ "${COMP_WORDS[COMP_CWORD - 1]}" = unix ] && typed='' && _lodge_files
	else
		[ "${COMP_WORDS[*]:COMP_CWORD-2:2}" = 'unix :' ] && _lodge_files
	fi
}

# _lodge_value OPTION: completes its value; false if it takes none
_lodge_value() {
	case $1 in
	--kernel | -k | --initrd | -i | --config | --disk | --cdrom | --pmem | --firmware | --since | --input | --key) _lodge_files ;;
	--directory | --root | --share | --workdir | -w) _lodge_directories ;;
	--to) _lodge_offer unix: tcp: exec: ;;
	--serve) _lodge_offer unix: 127.0.0.1: ;;
	--serial | -s)
		_lodge_files
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \
			< <(compgen -W 'stdio pty none' -- "$typed")
		;;
	--cpu)
		# That of doctor takes no value.
		[ "${COMP_WORDS[1]}" != doctor ] || return
		_lodge_files
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \
			< <(compgen -W 'host baseline v2 v3' -- "$typed")
		;;
	--on-crash) _lodge_offer reset stop ;;
	--memory-backing) _lodge_offer anonymous memfd 2M 1G ;;
	--id) _lodge_offer "$(_lodge_ids)" ;;
	--sort) _lodge_offer id user name cpus guest host steal exits res shr ;;
	--net) _lodge_offer user tap fd none ;;
	--device) _lodge_device ;;
	--user | -u)
		mapfile -t COMPREPLY < <(compgen -u -- "$typed")
		;;
	-*) _lodge_takes "${COMP_WORDS[1]}" "$1" ;;
	*,*) [ -n "$assigned" ] && _lodge_device_value "${1%%,*}" "${1#*,}" ;;
	*) false ;;
	esac
}

# _lodge_is_for_guest: whether what is typed belongs to a command for a guest
_lodge_is_for_guest() {
	local i
	[ "${COMP_WORDS[1]}" = exec ] || return
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-e | -u | -w | --env | --user | --workdir)
			[ "${COMP_WORDS[++i]-}" != = ] || ((++i))
			;;
		=) ((++i)) ;;
		-*) ;;
		*) return 0 ;;
		esac
	done
	return 1
}

# _lodge_argument COMMAND: completes an argument
_lodge_argument() {
	case $1 in
	run | restore | fuzz) _lodge_files ;;
	save)
		case $COMP_CWORD in
		2) _lodge_offer "$(_lodge_machines)" ;;
		*) _lodge_files ;;
		esac
		;;
	receive) _lodge_offer unix: tcp: stdio ;;
	clone)
		_lodge_files
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \
			< <(compgen -W "$(_lodge_machines)" -- "$typed")
		;;
	stat | kill) _lodge_offer "$(_lodge_vms)" ;;
	console | exec | logs | pause | resume | freeze | checkpoint | rewind | stop | wait | rm | inspect | migrate | replicate | takeover)
		_lodge_offer "$(_lodge_machines)"
		;;
	limit) _lodge_offer "$(_lodge_limits)" ;;
	image)
		case $COMP_CWORD in
		2) _lodge_offer info check pack unpack join ;;
		*) _lodge_files ;;
		esac
		;;
	help) _lodge_offer "$(_lodge_commands)" ;;
	esac
}

_lodge() {
	local typed=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} assigned=

	COMPREPLY=()
	# bash makes three words of --option=value, and of LIMIT=VALUE.
	if [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]} assigned=1
	elif [ "$typed" = = ]; then
		typed='' assigned=1
	fi
	if [ "$COMP_CWORD" = 1 ]; then
		_lodge_offer "$(_lodge_commands)" --help --version
	elif _lodge_is_for_guest; then
		_lodge_files
	elif _lodge_place; then
		:
	elif _lodge_value "$before" || [ -n "$assigned" ]; then
		:
	elif [[ $typed == -* ]]; then
		_lodge_offer "$(_lodge_options "${COMP_WORDS[1]}")"
	else
		_lodge_argument "${COMP_WORDS[1]}"
	fi
}

complete -F _lodge lodge
