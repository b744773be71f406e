# Completes the commands of host. The program itself knows what can come next; files are fish's to complete.
function __host_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates ($words[1] complete fish -- $words[2..-1] 2>/dev/null)
    if test (count $candidates) -gt 0
        printf '%s\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command host --no-files --arguments '(__host_complete)'
