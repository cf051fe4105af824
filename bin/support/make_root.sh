#!/usr/bin/env bash
# Run inside a fresh Debian root by bin/matrix: make_root.sh VERSION puts that Ruby and what the specs need into it.

set -euxo pipefail
version=$1

export DEBIAN_FRONTEND=noninteractive
# the root can be made again: it needs no fsync for every file, and no services
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
# suites in motion, seen through a mirror, are often past the date of their release file
echo 'Acquire::Check-Valid-Until "false";' >/etc/apt/apt.conf.d/valid-until

case $version in
  3.1) ruby=(ruby ruby-dev) ;;
  3.3) ruby=(ruby ruby-dev ruby-rb-sys) ;;
  3.4 | 4.0)
    ruby=("ruby$version" "ruby$version-dev" patchelf)
    sed -n 's/ sid / experimental /p' /etc/apt/sources.list >/etc/apt/sources.list.d/experimental.list
    ;;
esac

apt-get -qq update
apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${ruby[@]}" gcc libc6-dev make libclang-dev bundler \
  rake curl ruby-rspec ruby-rack ruby-rack-test puma ruby-railties ruby-activerecord ruby-sqlite3 ruby-sinatra pry ruby-json-schema \
  rubocop ruby-rubocop-performance ruby-redis
apt-get clean

# Debian builds gems in C for its default Ruby only, and that is 3.3 still. Their parts written in C (Puma's parser, its
# selector, Nokogiri) are made to load into newer ones: what they use of Ruby's C interface has not changed since.
case $version in
  3.4 | 4.0)
    ln -sf "ruby$version" /usr/bin/ruby
    cd "/usr/lib/$(gcc -print-multiarch)/rubygems-integration"
    cp -a 3.3.0 "$version.0"
    for folder in "$version".0/extensions/*/; do mv "$folder/3.3.0" "$folder/$version.0"; done
    find "$version.0" -name '*.so' -exec \
      patchelf --replace-needed libruby-3.3.so.3.3 "libruby-$version.so.$version" {} \;
    ;;
esac

ruby -e "exit RUBY_VERSION.start_with?(%q($version))"
ruby -e 'require "puma"; require "puma/puma_http11"; require "nio"; require "action_controller/railtie"; require "sqlite3"'
