# SPDX-License-Identifier: GPL-2.0
# Runs the program that a fuzzer is to find a fault in; it ends only without a fuzzer.
exec /bin/parse
