#!/usr/bin/env bash
# A real Slurm cluster to throw away, all on this host and all under DIR:
#
#   scripts/slurm-cluster.sh up DIR [NODES=2] [GPUS=4]     prints the line that points Slurm's tools at it
#   scripts/slurm-cluster.sh down DIR                      may be repeated
#
# Each node is a slurmd of its own with fake GPUs; a private munge keeps it apart from the system's. Root is needed:
# slurmd takes nothing but device files for GPUs. DIR holds a socket, so keep it short and without spaces.
# PROCTRACK is how Slurm knows the processes of a job: linuxproc (by parent, the default), pgid (by group), or cgroup,
# which also keeps a job from other jobs' GPUs; it wants the cgroup v1 hierarchies freezer and devices.
# TASK_PROLOG is a program of the site's that runs before every task and sets variables of it ("export NAME=value").
# KILL_WAIT=5 and PORT=<free port> are free to set too.
set -euo pipefail

fail() {
  echo "slurm-cluster: $*" >&2
  exit 1
}

usage="usage: slurm-cluster.sh up DIR [NODES] [GPUS] | down DIR"
[ $# -ge 2 ] || fail "$usage"
verb=$1
nodes=${3:-2}
gpus=${4:-4}
kill_wait=${KILL_WAIT:-5}
proctrack=${PROCTRACK:-linuxproc}
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)
export SLURM_CONF=$dir/slurm.conf
cgroups=/sys/fs/cgroup

# Pids are reused: a pid file counts only while the process has the name of the daemon that wrote it.
pid_of() {
  local daemon=$1 file=$2 pid comm state
  pid=$(cat "$file" 2>/dev/null) || return 1
  read -r _ comm state _ 2>/dev/null <"/proc/$pid/stat" || return 1
  [ "$comm" = "($daemon)" ] && [ "$state" != Z ] && echo "$pid"
}

# Each daemon gets TERM and ten seconds, then KILL.
end_daemons() {
  local daemon=$1 file pid tries
  shift
  for file; do
    if pid=$(pid_of "$daemon" "$file"); then kill "$pid" 2>/dev/null || true; fi
  done
  for file; do
    for ((tries = 0; tries < 100; tries++)); do
      pid_of "$daemon" "$file" >/dev/null || break
      sleep 0.1
    done
    if pid=$(pid_of "$daemon" "$file"); then kill -KILL "$pid" 2>/dev/null || true; fi
  done
}

end_jobs() {
  local tries
  for ((tries = 0; tries < (kill_wait + 20) * 5; tries++)); do
    # A squeue that fails has no jobs to tell of: then the daemons are all there is to stop.
    [ -n "$(timeout 5 squeue --noheader --format %A 2>/dev/null)" ] || return 0
    [ $((tries % 25)) -ne 0 ] || timeout 5 scancel --user "$(id -un)" 2>/dev/null || true
    sleep 0.2
  done
}

# Jobs first: a slurmstepd that outlives munged or slurmctld keeps trying to report for minutes.
down() {
  shopt -s nullglob
  if pid_of slurmctld "$dir/run/slurmctld.pid" >/dev/null; then end_jobs; fi
  end_daemons slurmd "$dir"/run/node*.pid
  end_daemons slurmctld "$dir/run/slurmctld.pid"
  end_daemons munged "$dir/run/munged.pid"
  remove_cgroups
}

# slurmd leaves the folders of its node, empty. rmdir takes nothing away that is in use.
remove_cgroups() {
  local spool
  for spool in "$dir"/spool/node*; do
    find "$cgroups"/{freezer,devices}/"slurm_${spool##*/}" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}

# A free range: the controller listens on the first port, node I on the I-th after it.
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
choose_ports() {
  local base port tries
  for ((tries = 0; tries < 50; tries++)); do
    base=${PORT:-$((20000 + RANDOM % 10000))}
    for ((port = base; port <= base + nodes; port++)); do port_is_free "$port" || continue 2; done
    echo "$base"
    return
  done
  fail "no free range of ports${PORT:+ at $PORT}"
}

# A slurmd keeps its cgroups under the name of its node, and names of ports are nobody else's on this host.
node_name() { echo "node$(($1 + $2))"; }

check_proctrack() {
  case $proctrack in
  linuxproc | pgid) return ;;
  cgroup) ;;
  *) fail "PROCTRACK is \"$proctrack\", wanted is linuxproc, pgid or cgroup" ;;
  esac
  local hierarchy
  for hierarchy in freezer devices; do
    mountpoint --quiet "$cgroups/$hierarchy" ||
      fail "PROCTRACK=cgroup: $cgroups/$hierarchy is not mounted, cgroup v1 is wanted"
  done
}

configure_cgroups() {
  if [ "$proctrack" != cgroup ]; then
    echo "# slurmd wants this file even where it uses no cgroups"
    return
  fi
  cat <<CONF
CgroupPlugin=cgroup/v1
CgroupMountpoint=$cgroups
ConstrainDevices=yes
ConstrainCores=no
ConstrainRAMSpace=no
CONF
}

# Major 4, minors below 64: virtual terminals, known to every kernel and used by nobody here.
# Where mknod is not allowed, devices that exist do as well: nothing ever opens them.
make_gpus() {
  local node=$1 gpu
  [ "$gpus" -gt 0 ] || return 0
  for ((gpu = 0; gpu < gpus; gpu++)); do
    [ -c "$dir/dev/$node-gpu$gpu" ] || mknod -m 666 "$dir/dev/$node-gpu$gpu" c 4 $((10 + gpu)) 2>/dev/null || {
      echo "NodeName=$node Name=gpu File=/dev/tty[10-$((9 + gpus))]"
      return
    }
  done
  echo "NodeName=$node Name=gpu File=$dir/dev/$node-gpu[0-$((gpus - 1))]"
}

configure() {
  local base=$1 task_plugin=none i
  [ "$proctrack" != cgroup ] || task_plugin=cgroup
  cat <<CONF
ClusterName=throwaway
# Tests look for the processes of a job by its id: two clusters at the same time must not share one.
FirstJobId=$((1000 + RANDOM * 30))
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$base
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
# cred_expire is also how long a requeued job waits
AuthInfo=socket=$dir/run/munge.sock,cred_expire=5
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdPidFile=$dir/run/%n.pid
SlurmdLogFile=$dir/log/%n.log
SlurmdSpoolDir=$dir/spool/%n
StateSaveLocation=$dir/state
# the virtual nodes together have more CPUs than the host
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
GresTypes=gpu
MpiDefault=none
SwitchType=switch/none
TaskPlugin=task/$task_plugin
${TASK_PROLOG:+TaskProlog=$TASK_PROLOG}
ProctrackType=proctrack/$proctrack
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
# without a database, this is how long scontrol remembers a finished job
MinJobAge=600
KillWait=$kill_wait
UnkillableStepTimeout=60
ReturnToService=2
JobRequeue=1
CONF
  for ((i = 1; i <= nodes; i++)); do
    echo "NodeName=$(node_name "$base" "$i") NodeAddr=127.0.0.1 NodeHostname=$(hostname -s) Port=$((base + i)) CPUs=8 RealMemory=4000 Gres=gpu:$gpus"
  done
  echo "PartitionName=gpu Nodes=ALL Default=YES MaxTime=01:00:00 DefaultTime=00:10:00"
}

# A start that failed, or was interrupted, leaves nothing running.
clean_up() {
  [ "$1" != 0 ] || return 0
  tail -n 5 "$dir"/log/*.log >&2 || true
  down
}

up() {
  local daemon base names i tries idle
  for daemon in munged slurmctld slurmd sinfo; do
    command -v "$daemon" >/dev/null ||
      fail "$daemon is missing: apt-get install slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins"
  done
  case $dir in *[[:space:]]*) fail "\"$dir\" has a space in it" ;; esac
  [ ${#dir} -le 80 ] || fail "\"$dir\" is too long for the path of a socket"
  ! pid_of slurmctld "$dir/run/slurmctld.pid" >/dev/null || fail "a cluster is running in $dir"
  check_proctrack
  base=$(choose_ports)
  names=$(for ((i = 1; i <= nodes; i++)); do node_name "$base" "$i"; done)

  trap 'clean_up $?' EXIT
  trap 'exit 130' INT TERM
  mkdir -p "$dir"/{dev,log,run,spool,state}
  chmod 755 "$dir" "$dir/run"
  configure "$base" >"$SLURM_CONF"
  { echo AutoDetect=off; for i in $names; do make_gpus "$i"; done; } >"$dir/gres.conf"
  configure_cgroups >"$dir/cgroup.conf"

  (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
  munged --force --key-file="$dir/munge.key" --socket="$dir/run/munge.sock" --pid-file="$dir/run/munged.pid" \
    --log-file="$dir/log/munged.log" --seed-file="$dir/run/munge.seed"
  slurmctld -c -f "$SLURM_CONF"
  for i in $names; do
    mkdir -p "$dir/spool/$i"
    slurmd -f "$SLURM_CONF" -N "$i"
  done
  for ((tries = 0; tries < 200; tries++)); do
    idle=$(sinfo --noheader --Node --format %T 2>/dev/null | grep -c '^idle$') || true
    if [ "$idle" = "$nodes" ]; then
      echo "export SLURM_CONF=$SLURM_CONF"
      return
    fi
    sleep 0.1
  done
  fail "$idle of $nodes nodes became idle"
}

case $verb in
up) up ;;
down) down ;;
*) fail "$usage" ;;
esac
