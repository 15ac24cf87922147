# SPDX-License-Identifier: GPL-2.0
# Computes for ever, and tells each step with the sum so far, for a host that replicates the
# machine meanwhile.
i=0 sum=1
while :; do
	i=$((i + 1))
	sum=$(((sum * 31 + i) % 1000000007))
	echo "step $i $sum"
	sleep 0.05
done
