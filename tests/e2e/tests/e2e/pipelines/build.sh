#!/usr/bin/env bash
# build.sh OUT REVISION: an OCI layout with the folders base and application as its layers. The same input, the same digest.
set -euo pipefail
out=$1 revision=$2
rm -rf "$out"
mkdir -p "$out/blobs/sha256"

# add FILE: moves it among the blobs; its digest and size.
add() {
  local digest size
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  mv "$1" "$out/blobs/sha256/$digest"
  echo "$digest $size"
}

layers='' diff_ids=''
for folder in base application; do
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$folder" -cf "$out/layer" .
  diff_ids+="${diff_ids:+,}\"sha256:$(sha256sum "$out/layer" | cut -d' ' -f1)\""
  gzip -n "$out/layer"
  read -r digest size < <(add "$out/layer.gz")
  layers+="${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:$digest\",\"size\":$size}"
done

cat > "$out/config" <<END
{"architecture":"amd64","os":"linux","config":{"Cmd":["node","/app.js"],"Labels":{"org.opencontainers.image.revision":"$revision"}},"rootfs":{"type":"layers","diff_ids":[$diff_ids]}}
END
read -r digest size < <(add "$out/config")

cat > "$out/manifest" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$digest","size":$size},"layers":[$layers]}
END
read -r digest size < <(add "$out/manifest")

echo '{"imageLayoutVersion":"1.0.0"}' > "$out/oci-layout"
cat > "$out/index.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$digest","size":$size}]}
END
