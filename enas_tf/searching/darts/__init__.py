"""Search by gradient: DARTS (Liu et al., 2019, arXiv 1806.09055) on the cells of ENAS."""
