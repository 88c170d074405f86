/**
 * The shell script that installs packages and starts nothing. Debian's packages start their service when they are
 * installed, unless /usr/sbin/policy-rc.d answers 101 ("forbidden"); PostgreSQL's also makes a cluster, unless its
 * configuration says no. Both are set for the time of the installation and put back after it, whatever happens.
 * Services that this brought are not enabled either, so that the next boot starts none.
 */
export function aptScript(packages: readonly string[], root = ""): string {
  const policy = `${root}/usr/sbin/policy-rc.d`;
  const cluster = `${root}/etc/postgresql-common/createcluster.conf`;
  const wantsPostgres = packages.some((name) => name.startsWith("postgresql"));
  return `set -e
export DEBIAN_FRONTEND=noninteractive
restore() {
  rm -f '${policy}'
  if [ -e '${policy}.before-tributary' ]; then mv '${policy}.before-tributary' '${policy}'; fi
  if [ -e '${cluster}.before-tributary' ]; then mv '${cluster}.before-tributary' '${cluster}'; fi
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ -e '${policy}' ] || [ -L '${policy}' ]; then mv '${policy}' '${policy}.before-tributary'; fi
printf '#!/bin/sh\\nexit 101\\n' > '${policy}'
chmod 755 '${policy}'
install() { apt-get install -y --no-upgrade --no-install-recommends -o Dpkg::Options::=--force-confold "$@"; }
apt-get update
${wantsPostgres ? postgresFirst(cluster) : ""}install ${packages.join(" ")}
if [ -d '${root}/run/systemd/system' ]; then
  for service in ${packages.join(" ")}; do systemctl disable --quiet "$service" || true; done
fi
`;
}

/** The configuration file belongs to a package of its own, so that one is installed first. */
function postgresFirst(cluster: string): string {
  return `install postgresql-common
cp -p '${cluster}' '${cluster}.before-tributary'
printf 'create_main_cluster = false\\n' >> '${cluster}'
`;
}
