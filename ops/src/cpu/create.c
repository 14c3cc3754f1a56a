typedef int lboi_not_yet_cpu_create;
