# Completion for bash: . etc/completion/drawbridge.bash
# The commands are asked from the program, so that they are never stale.

_drawbridge()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local program=${COMP_WORDS[0]} words=

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ] ||
	    { [ "$COMP_CWORD" -eq 2 ] && [ "$prev" = help ]; }; then
		words=$("$program" help 2>/dev/null |
		    sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words help --version" \
		    -- "$cur")
		return
	fi
	case $prev in
	--reviewer)
		words="none oracle:30"
		;;
	--report)
		words="text json"
		;;
	--preset | --sizes)
		words="small medium large"
		;;
	--type)
		words="hmac rsa ed25519"
		;;
	--network)
		words="main test signet regtest"
		;;
	--friction)
		words="held value delayed code all"
		;;
	--attack | --kinds)
		words=$("$program" simulate --list 2>/dev/null |
		    sed -n 's/^ *\([a-z][a-z0-9-]*\).*/\1/p')
		;;
	esac
	if [ "$COMP_CWORD" -eq 2 ] && [ "$prev" = audit ] &&
	    [ "${cur#-}" = "$cur" ]; then
		words="verify head asked log"
	fi
	if [ "$COMP_CWORD" -eq 2 ] && [ "${cur#-}" = "$cur" ]; then
		case $prev in
		upgrade) words="check judge" ;;
		account) words="create set freeze unfreeze totp contact
		    list" ;;
		door) words="create set revoke list" ;;
		receipt) words="trust verify redeem standing issue burn
		    burned head behind" ;;
		master) words="rotate" ;;
		signer) words="init recover show status descriptors unlock
		    lock halt resume rearm settings sign cosign approve burn
		    write-off epoch adopt external identity signed seed" ;;
		operator) words="keygen add remove quorum list" ;;
		policy) words="propose approve diff history" ;;
		key) words="create set revoke freeze unfreeze list" ;;
		withdrawal) words="list show release deny cancel" ;;
		esac
	fi
	if [ -z "$words" ] && [ "${cur#-}" != "$cur" ]; then
		local scenes="--sizes --seed --seeds --kinds --days --settle
		    --warmup --history --set --owners --reviewer --honest --jobs --json"
		local who="--as --reason --yes --json"
		case ${COMP_WORDS[1]} in
		account) words="--limit-24h --tier --group --deposit-address
		    --qr --remove --mail --phone $who" ;;
		deposit) words="--id $who" ;;
		door) words="--roles --public-key --expires $who" ;;
		receipt) words="--trust --service --key --ledger --new --to
		    --amount --head --json" ;;
		drill) words="--url --speed --json" ;;
		live) words="--rows" ;;
		master) words="--file" ;;
		events) words="--after --follow --json" ;;
		init) words="--data --operator --demo --network --policy
		    --quorum --wait --listen --history --drill" ;;
		key) words="--account --type --public-key --withdraw
		    --no-withdraw --ip --expires --label $who" ;;
		queue | status) words="--json" ;;
		signer) words="--data --host --pin --identity --head --json
		    --settings --dice --passphrase-file --backup-to
		    --no-backup --height --engine-sequence --floor
		    --first-sequence --yes --reason --receipt --standing
		    --approval --as --key --signer --trust --expires
		    --answers --replaces --id --outpoint --spent-by --block
		    --engine --booked --fingerprint --chain --account --desc
		    --stdin --after --network" ;;
		tell | halt | resume | clock | approve | policy) words="$who" ;;
		operator) words="--key --roles --release-up-to --wait $who" ;;
		withdrawal) words="--account --state --limit --not-me $who" ;;
		check) words="--json --strict --hot --date --cost --signer
		    --print --against --words" ;;
		replay) words="--json --policy --reviewer --report --decisions
		    --history --from --lot-key --keys --progress --quiet" ;;
		record | import) words="--db --policy --batch --snapshot-every
		    --network --acks --from --as --reason --json --quiet" ;;
		export) words="--db --output -o --history-output --decisions
		    --from --until --json --quiet" ;;
		audit) words="--db --head --decisions --from
		    --until --account --by --personal --json --quiet" ;;
		explain) words="--db --personal --json --quiet" ;;
		backtest) words="--policy --db --from --until --review
		    --json --quiet" ;;
		backup | upgrade) words="--db --json --quiet" ;;
		restore) words="--db --as --reason --head --json --quiet" ;;
		forget) words="--before --db --as --reason --yes --dry-run
		    --json --quiet" ;;
		simulate) words="--seed --preset --attack --owners --days
		    --accounts --crash-day --network --start --set --params
		    --list --json --output -o" ;;
		exposure) words="--json --quiet --policy --hot --fund --accounts
		    --days" ;;
		compare) words="--policy $scenes" ;;
		tune) words="--policy --let --points --search-seed --friction
		    $scenes" ;;
		esac
		words="$words --help"
	fi
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null || true
	fi
}
complete -F _drawbridge drawbridge
