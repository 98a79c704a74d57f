# Prints "URI<TAB>keyring" for each enabled stanza of a deb822 apt source that carries the release.
# SPDX-License-Identifier: Apache-2.0

function report(    suites, count, i) {
	count = split(field["suites"], suites, /[ \t]+/)
	for (i = 1; i <= count; i++)
		if (field["types"] ~ /(^| )deb( |$)/ && tolower(field["enabled"]) !~ /^(no|false|off|0)$/ &&
		    (suites[i] == release || suites[i] == "stable" || suites[i] == "oldstable")) {
			split(field["uris"], uris, /[ \t]+/)
			# A key written out inside the stanza is no file: leave it to apt's own trust.
			print uris[1] "\t" (field["signed-by"] ~ /^\// ? field["signed-by"] : "")
			break
		}
	delete field
	last = ""
}

/^#/ { next }
/^[ \t]*$/ { report(); next }
/^[ \t]/ { sub(/^[ \t]+/, ""); field[last] = field[last] " " $0; next }
{
	last = tolower($0)
	sub(/:.*/, "", last)
	value = $0
	sub(/^[^:]*:[ \t]*/, "", value)
	field[last] = value
}
END { report() }
