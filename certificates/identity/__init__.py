"""Who somebody is by a digital certificate (数字证书身份): a challenge signed in the browser, the key staying there.

The carrier is the Web eID token over `SHA256(origin) ‖ SHA256(nonce)`. It never touches an address that a
certificate names: roots and revocation lists come from our own folder.
"""
