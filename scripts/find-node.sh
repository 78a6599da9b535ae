# shellcheck shell=sh
# Sourced by bin/rag-allinone and the batch scripts, which have set `home` to the checkout or the unpacked release.
refuse() {
  printf '%s\n' "$@" >&2
  exit 78
}

# Leaves `node`. One that cannot start here would only say so in the linker's words, so that is looked at first.
find_node() {
  if [ -f "$home/MANIFEST" ]; then
    mend="  unpack it again: tar -xzf rag-allinone-VERSION-linux-x64.tar.gz"
  else
    mend="  export RAG_HOME=/path/to/checkout && (cd \"\$RAG_HOME\" && npm install && npm run build)"
  fi
  [ -f "$home/dist/supervisor.js" ] || refuse \
    "Cannot start the supervisor: there is no dist/supervisor.js in $home, a built checkout or an unpacked release is wanted" "$mend"

  machine=$(PATH=${PATH:-}:/usr/bin:/bin uname -m)
  case $machine in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
  node=$home/node_modules/node-linux-$arch/bin/node
  if [ -n "${RAG_NODE:-}" ]; then
    node=$RAG_NODE
    command -v "$node" >/dev/null ||
      refuse "Cannot start the supervisor: there is no $node to execute, Node 22.19 or newer is wanted" "  unset RAG_NODE"
  elif [ -x "$node" ]; then
    check_libc
  elif [ -f "$node" ]; then
    refuse "Cannot start Node: $node cannot be executed, its x bit and a file system without noexec are wanted" \
      "  chmod +x \"$node\"; findmnt -T \"$home\"   # or unpack it elsewhere"
  elif [ -f "$home/MANIFEST" ]; then
    refuse "Cannot start Node: this machine is $machine, this release is for x86_64" \
      "  npm install && npm run build   # in a checkout, on a machine of this kind"
  else
    node=node
    command -v node >/dev/null || refuse "Cannot start the supervisor: there is no node, Node 22.19 or newer is wanted" \
      "  (cd \"$home\" && npm install), or export RAG_NODE=/path/to/node"
  fi
}

# Node wants what RHEL 8 has, 2.28; RHEL 7 has 2.17.
check_libc() {
  libc=$(PATH=${PATH:-}:/usr/bin:/bin getconf GNU_LIBC_VERSION 2>/dev/null) || libc="no glibc"
  minor=${libc#glibc 2.}
  minor=${minor%%[!0-9]*} # empty for another major version
  if [ "$libc" = "no glibc" ] || [ "${minor:-28}" -lt 28 ]; then
    refuse "Cannot start Node: this machine has $libc, glibc 2.28 or newer is wanted (RHEL 8, Debian 10, Ubuntu 20.04)" \
      "  sinfo -o '%N %f'   # submit to nodes with a newer system; or export RAG_NODE=/a/node/built/for/this/one"
  fi
}
