# fish completion for litellm-tui; `litellm-tui completion fish` prints it
function __litellm_tui_complete
    set -l words (commandline -opc)
    for line in ($words[1] completion --words $words (commandline -ct) 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c litellm-tui -f -a '(__litellm_tui_complete)'
