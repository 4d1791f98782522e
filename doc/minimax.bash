_minimax() {
    local IFS=$' \t\n'
    local args cur prev cmd opts arg
    args=("${COMP_WORDS[@]}")
    cur="${COMP_WORDS[COMP_CWORD]}"
    prev="${COMP_WORDS[COMP_CWORD-1]}"
    opts="-h --help --base-url --key-file --auth-header --auth-scheme --query --proxy --ca-file --retries --json -q --quiet --version"

    case "$prev" in
        --base-url)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --key-file)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --auth-header)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --auth-scheme)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --query)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --proxy)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --ca-file)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
        --retries)
            COMPREPLY=($(compgen -f -- "$cur"))
            return 0
            ;;
    esac

    args=("${args[@]:1}")
    for arg in "${args[@]}"; do
        case "$arg" in
            template)
                cmd="template"
                opts="$opts -h --help --request --callback-url --wait --dry-run --strict --turn --timeout --interval -o --output --no-overwrite --max-bytes --allow-private --no-verify -m --media -t --text"
                break
                ;;
            video)
                cmd="video"
                opts="$opts -h --help --request --callback-url --wait --dry-run --strict --turn --timeout --interval -o --output --no-overwrite --max-bytes --allow-private --no-verify --model -p --prompt --duration --resolution --first-frame --last-frame --watermark --subject --optimizer --fast-pretreatment"
                break
                ;;
            video2)
                cmd="video2"
                opts="$opts -h --help --request --callback-url --wait --dry-run --strict --turn --timeout --interval -o --output --no-overwrite --max-bytes --allow-private --no-verify --model -p --prompt --duration --resolution --first-frame --last-frame --watermark --ratio --reference-image --reference-video --reference-audio"
                break
                ;;
            query)
                cmd="query"
                opts="$opts -h --help -k --kind"
                break
                ;;
            wait)
                cmd="wait"
                opts="$opts -h --help -k --kind --timeout --interval -o --output --no-overwrite --max-bytes --allow-private --no-verify"
                break
                ;;
            download)
                cmd="download"
                opts="$opts -h --help --file-id -k --kind -o --output --no-overwrite --max-bytes --allow-private --no-verify"
                break
                ;;
            cancel)
                cmd="cancel"
                opts="$opts -h --help -k --kind"
                break
                ;;
            list)
                cmd="list"
                opts="$opts -h --help --page --page-size --status --model --task-type --task-id"
                break
                ;;
            upload)
                cmd="upload"
                opts="$opts -h --help --purpose"
                break
                ;;
            batch)
                cmd="batch"
                opts="$opts -h --help"
                args=("${args[@]:1}")
                for arg in "${args[@]}"; do
                    case "$arg" in
                        add)
                            cmd="$cmd add"
                            opts="$opts -h --help --ledger --keep-going"
                            break
                            ;;
                        run)
                            cmd="$cmd run"
                            opts="$opts -h --help --ledger --max-in-flight --max-submits --dry-run --strict --submit-rate --query-rate --account --patience --lease --timeout --interval"
                            break
                            ;;
                        status)
                            cmd="$cmd status"
                            opts="$opts -h --help --ledger --state --all"
                            break
                            ;;
                        retry)
                            cmd="$cmd retry"
                            opts="$opts -h --help --ledger --state --resubmit"
                            break
                            ;;
                        adopt)
                            cmd="$cmd adopt"
                            opts="$opts -h --help --ledger"
                            break
                            ;;
                        export)
                            cmd="$cmd export"
                            opts="$opts -h --help --ledger --title"
                            break
                            ;;
                    esac
                done
                break
                ;;
            templates)
                cmd="templates"
                opts="$opts -h --help"
                break
                ;;
            models)
                cmd="models"
                opts="$opts -h --help"
                break
                ;;
            doctor)
                cmd="doctor"
                opts="$opts -h --help"
                break
                ;;
            emulator)
                cmd="emulator"
                opts="$opts -h --help --port --storage-port --speed --seconds --submit-rate --query-rate --path-prefix --auth-header --auth-scheme --wrap --ids --digits --video-bytes --link-life --fail-rate --seed --key --allow-host --fault --tls --log --with-parent"
                break
                ;;
            callback-server)
                cmd="callback-server"
                opts="$opts -h --help --host --port --path --confirm -k --kind"
                break
                ;;
            completion)
                cmd="completion"
                opts="$opts -h --help"
                break
                ;;
        esac
    done

    case "$cmd" in
        '')
            COMPREPLY=($(compgen -W "template video video2 query wait download cancel list upload batch templates models doctor emulator callback-server completion" -- "$cur"))
            ;;
        'template')
            case "$prev" in
                --request)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --callback-url)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --turn)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -m|--media)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -t|--text)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'video')
            case "$prev" in
                --request)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --callback-url)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --turn)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --model)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -p|--prompt)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --resolution)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --first-frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --last-frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --watermark)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --subject)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --optimizer)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --fast-pretreatment)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'video2')
            case "$prev" in
                --request)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --callback-url)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --turn)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --model)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -p|--prompt)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --resolution)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --first-frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --last-frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --watermark)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ratio)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --reference-image)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --reference-video)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --reference-audio)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'query')
            case "$prev" in
                -k|--kind)
                    COMPREPLY=($(compgen -W "template video video2" -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'wait')
            case "$prev" in
                -k|--kind)
                    COMPREPLY=($(compgen -W "template video video2" -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'download')
            case "$prev" in
                --file-id)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -k|--kind)
                    COMPREPLY=($(compgen -W "template video video2" -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'cancel')
            case "$prev" in
                -k|--kind)
                    COMPREPLY=($(compgen -W "template video video2" -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'list')
            case "$prev" in
                --page)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --page-size)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --status)
                    COMPREPLY=($(compgen -W "queued running succeeded failed cancelled" -- "$cur"))
                    return 0
                    ;;
                --model)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --task-type)
                    COMPREPLY=($(compgen -W "generation h3_context_ir regeneration" -- "$cur"))
                    return 0
                    ;;
                --task-id)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'upload')
            case "$prev" in
                --purpose)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch')
            COMPREPLY=($(compgen -W "add run status retry adopt export" -- "$cur"))
            ;;
        'batch add')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch run')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-in-flight)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --max-submits)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --submit-rate)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --query-rate)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --account)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --patience)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --lease)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch status')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --state)
                    COMPREPLY=($(compgen -W "added submitting submitted succeeded downloaded failed unknown" -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch retry')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --state)
                    COMPREPLY=($(compgen -W "failed unknown" -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch adopt')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch export')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --title)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'emulator')
            case "$prev" in
                --port)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --storage-port)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --speed)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --seconds)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --submit-rate)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --query-rate)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --path-prefix)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --auth-header)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --auth-scheme)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --wrap)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ids)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --digits)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --video-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --link-life)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --fail-rate)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --seed)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --key)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --allow-host)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --fault)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'callback-server')
            case "$prev" in
                --host)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --port)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --path)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -k|--kind)
                    COMPREPLY=($(compgen -W "template video video2" -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
    esac

    if [[ "$cur" = -* ]]; then
        COMPREPLY=($(compgen -W "$opts" -- "$cur"))
    fi
}

complete -F _minimax -o bashdefault -o default minimax
