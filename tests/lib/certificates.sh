#!/bin/sh
# certificates.sh DIRECTORY: makes good and broken certificates there, with openssl(1) only. NAME.crt and NAME.key;
# root.crt is trusted, other.crt is not.
set -e
mkdir -p "$1"
cd "$1"
exec >log 2>&1

# key NAME: a key of NAME.
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }

# authority NAME
authority() {
    key "$1"
    openssl req -x509 -new -key "$1.key" -out "$1.crt" -days 3650 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# leaf NAME AUTHORITY EXTENSION...: a certificate that the authority signs.
leaf() {
    name=$1 by=$2
    shift 2
    [ -e "$name.key" ] || key "$name"
    printf '%s\n' "$@" >"$name.ext"
    openssl req -new -utf8 -key "$name.key" -subj "/CN=${common:-$name}" -out "$name.csr"
    # shellcheck disable=SC2086 # none, or one word
    openssl x509 -req ${digest:-} -in "$name.csr" -CA "$by.crt" -CAkey "$by.key" \
        -set_serial "0x$(openssl rand -hex 8)" -days 800 \
        -extfile "$name.ext" -out "$name.crt"
}

# dated NAME FROM TO: like good, for this time.
dated() {
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nunique_subject=no\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >ca.cnf
    : >index
    openssl rand -hex 8 >serial
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    openssl ca -batch -config ca.cnf -cert root.crt -keyfile root.key -in "$1.csr" -out "$1.crt" \
        -startdate "$2" -enddate "$3" -extfile good.ext -notext
}

# lists NAME AUTHORITY OPTION...: NAME.crl, what the authority has revoked.
lists() {
    name=$1 by=$2
    shift 2
    openssl ca -config ca.cnf -gencrl -cert "$by.crt" -keyfile "$by.key" -out "$name.crl" "$@"
}

# response NAME SIGNER CERTIFICATE OPTION...: NAME.ocsp, an OCSP response about a certificate of root.
response() {
    name=$1 by=$2 about=$3
    shift 3
    openssl ocsp -index index -CA root.crt -rsigner "$by.crt" -rkey "$by.key" -issuer root.crt "$@" \
        -cert "$about.crt" -no_nonce -respout "$name.ocsp"
}

server='extendedKeyUsage=serverAuth'
both='subjectAltName=DNS:localhost,IP:127.0.0.1'
authority root
authority other
leaf inter root basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign
leaf good root $server "$both"
leaf wildcard root $server 'subjectAltName=DNS:*.test,DNS:*.wild.test'
leaf exact root $server subjectAltName=DNS:a.wild.test
leaf nameonly root $server subjectAltName=DNS:localhost
common=localhost leaf cnonly root $server
leaf wrong root $server subjectAltName=DNS:other.test
leaf iponly root $server subjectAltName=IP:127.0.0.1
leaf ipasdns root $server subjectAltName=DNS:127.0.0.1
leaf partial root $server 'subjectAltName=DNS:loc*host'
leaf untrusted other $server "$both"
leaf clientuse root extendedKeyUsage=clientAuth "$both"
leaf chained inter $server "$both"
leaf client root extendedKeyUsage=clientAuth
leaf revoked root $server "$both"
leaf responder root extendedKeyUsage=OCSPSigning
leaf named root extendedKeyUsage=clientAuth \
    'subjectAltName=email:a@example.test,URI:spiffe://example.test/alice,DNS:alice.test'
common=named leaf namedbad other extendedKeyUsage=clientAuth 'subjectAltName=URI:spiffe://example.test/alice'
common=$(printf 'new\nline\033[2J, "\303\251/O=SOCKCAT_TLS_VERIFIED=2') leaf odd root extendedKeyUsage=clientAuth
leaf issued good $server "$both"
cat good.crt >>issued.crt
leaf critical root $server "$both" 1.2.3.4=critical,ASN1:NULL
leaf narrow root basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign \
    'nameConstraints=critical,permitted;DNS:allowed.test'
leaf outside narrow $server subjectAltName=DNS:localhost
cat narrow.crt >>outside.crt
common=$(printf 'evil\033[31m\nCN=good') leaf control root $server "$both"
digest=-sha1 leaf sha1 root $server "$both"
leaf clientbad other extendedKeyUsage=clientAuth
dated expired 20200101000000Z 20210101000000Z
dated notyet 20400101000000Z 20410101000000Z
for name in good revoked inter; do
    [ "$name" = revoked ] && state=R when=250101000000Z || state=V when=''
    printf '%s\t400101000000Z\t%s\t%s\tunknown\t/CN=%s\n' "$state" "$when" \
        "$(openssl x509 -in "$name.crt" -noout -serial | sed 's/.*=//')" "$name"
done >index
lists root root -crldays 30
lists inter inter -crldays 30
lists old root -crl_lastupdate 20200101000000Z -crl_nextupdate 20210101000000Z
cat root.crl inter.crl >all.crl
response good root good -ndays 30
response revoked root revoked -ndays 30
response unknown root nameonly -ndays 30
response otherdigest root good -ndays 30 -sha256
response endless root good
response delegated responder good -ndays 30
response forged other good -ndays 30
printf '0\3\12\1\3' >later.ocsp
printf '0\3\12\1\0' >empty.ocsp
cp chained.crt missing.crt
cp chained.key missing.key
cat inter.crt >>chained.crt
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key
leaf weak root $server "$both"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
leaf rsa root $server "$both"
key self
openssl req -x509 -new -key self.key -out self.crt -days 30 -subj /CN=localhost -addext "$both"
openssl pkcs8 -topk8 -v2 aes256 -passout pass:secret -in good.key -out encrypted.key
cat good.crt good.key >together.pem
chmod 600 together.pem
printf 'sha256//%s' "$(openssl x509 -in good.crt -pubkey -noout | openssl pkey -pubin -outform DER |
    openssl dgst -sha256 -binary | openssl base64)" >good.pin
