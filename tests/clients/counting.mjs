// A fetch that counts, to see whether an SDK tries again.
export function counting() {
  const counted = async (...arguments_) => {
    counted.calls += 1;
    return fetch(...arguments_);
  };
  counted.calls = 0;
  return counted;
}
