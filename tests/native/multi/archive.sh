# tar and xz through pipes and files; sums are shown instead of archives.
set -e
tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - f1 f2 f3 f4 f5 f6 |
    tee whole.tar | xz -1 -c | tee whole.xz | xz -dc | md5sum
tar -tf whole.tar
mkdir out
xz -dc whole.xz | tar -xf - -C out
cat out/f? | md5sum
cmp out/f3 f3 && echo equal
tar -cJf two.txz f1 f2 && tar -xJOf two.txz f2 | md5sum
tar -czf one.tgz f6 && gzip -dc one.tgz | tar -xOf - | wc -l
rm -rf out whole.tar whole.xz two.txz one.tgz
