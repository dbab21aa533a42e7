/**
 * The guardian as a script of a shell, which needs a tenth of the memory of a Node process. Its arguments: the process to watch, the seconds
 * of one look, and after how many looks in a row without a line on its input that process is killed. It counts looks and reads no clock:
 * after the whole machine was paused at most one look is over too early. It begins with the first line: a process that has just started on
 * a busy machine may need its time.
 *
 * Signals for the process group are for the process that it watches. It goes by `read -t` with a fraction of a second and a status above 128
 * when the time is over; a shell that does otherwise ends here before it says `ready`. It ends when its input does, which is when the
 * process that it watches has ended, in whatever way.
 */
export const GUARDIAN_SCRIPT = `
trap '' INT TERM HUP QUIT
read -t 0.05 -r line
[ $? -gt 128 ] || exit 1
echo ready
read -r line || exit 0
missed=0
while [ "$missed" -lt "$3" ]; do
  if read -t "$2" -r line; then
    missed=0
  else
    [ $? -gt 128 ] || exit 0
    missed=$((missed + 1))
  fi
done
kill -9 "$1"
echo "watchdog: process $1 showed no sign of life for $3 times $2 s and was killed" >&2
`;
