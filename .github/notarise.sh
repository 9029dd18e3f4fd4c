#!/usr/bin/env bash
# Signs the bundles in an archive and has Apple notarise them. Part of the release workflow, on macOS.
# Without the secrets it says so and leaves the archive as it is.
set -euo pipefail
archive="$1"
for name in APPLE_CERTIFICATE APPLE_CERTIFICATE_PASSWORD APPLE_IDENTITY APPLE_ID APPLE_TEAM APPLE_APP_PASSWORD; do
    if [ -z "${!name:-}" ]; then
        echo "not signed: the secret $name is not set"
        exit 0
    fi
done

work="$(mktemp -d)"
keychain="$work/signing.keychain-db"
trap 'security delete-keychain "$keychain" 2>/dev/null || true; rm -rf "$work"' EXIT
password="$(openssl rand -hex 16)"
security create-keychain -p "$password" "$keychain"
security unlock-keychain -p "$password" "$keychain"
echo "$APPLE_CERTIFICATE" | base64 --decode > "$work/certificate.p12"
security import "$work/certificate.p12" -k "$keychain" -P "$APPLE_CERTIFICATE_PASSWORD" -T /usr/bin/codesign
security set-key-partition-list -S apple-tool:,apple: -s -k "$password" "$keychain" > /dev/null
security list-keychains -d user -s "$keychain" login.keychain-db

tar -xzf "$archive" -C "$work"
folder="$(find "$work" -mindepth 1 -maxdepth 1 -type d -name 'idiom-*')"
for bundle in "$folder/CLAP/Idiom.clap" "$folder/VST3/Idiom.vst3"; do
    codesign --force --deep --timestamp --options runtime --keychain "$keychain" --sign "$APPLE_IDENTITY" "$bundle"
done
ditto -c -k --keepParent "$folder" "$work/upload.zip"
xcrun notarytool submit "$work/upload.zip" --wait \
    --apple-id "$APPLE_ID" --team-id "$APPLE_TEAM" --password "$APPLE_APP_PASSWORD"
for bundle in "$folder/CLAP/Idiom.clap" "$folder/VST3/Idiom.vst3"; do
    xcrun stapler staple "$bundle"
done
tar -czf "$archive" -C "$work" "$(basename "$folder")"
echo "signed and notarised: $archive"
