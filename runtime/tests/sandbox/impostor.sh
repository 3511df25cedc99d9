#!/bin/sh
# A worker that is none. Which kind, its second argument says: a memory limit, to real ones.
case "$2" in
1) exec /bin/sleep 600 ;;
2) printf 'garbage, garbage, garbage' && exec /bin/sleep 600 ;;
3) printf '\377\377\377\377' && exec /bin/sleep 600 ;;
4) printf '\100\000\000\000ab' ;;
5) exit 3 ;;
6) echo 'memory allocation of 5 bytes failed' >&2 && kill -ABRT $$ ;;
7) echo 'thread has overflowed its stack' >&2 && kill -ABRT $$ ;;
8) kill -SEGV $$ ;;
# A call of a function the action was not given.
9) printf '\011\000\000\000\000\000\004evil\000\000' && exec /bin/sleep 600 ;;
# A frame of sixteen mebibytes, and then as much as one wants.
10) printf '\000\000\000\001' && exec /usr/bin/yes ;;
# A call whose argument says it is a list of four billion.
11)
    printf '\020\000\000\000\000\000\004echo\001\001\010\374\377\377\377\377\000'
    exec /bin/sleep 600
    ;;
# Never reads, never ends, and talks on the wrong pipe.
12) /usr/bin/yes >&2 ;;
# Closes its pipe and lives on.
13) exec /bin/sleep 600 >&- ;;
# Ends its action and goes on.
14) printf '\007\000\000\000\001\000\000\000\001\000\000more' && exec /bin/sleep 600 ;;
esac
