"""Published recurrent cells, and the LSTM."""

from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture

# The cell of the release (`enas_lm/README.md`), 8 nodes; reported there with a test perplexity of
# 56.1 to 57.3 on Penn Treebank.
ENAS_RNN_RELEASE = RnnArchitecture.from_release_string("0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2")

# The cell of DARTS (arXiv 1806.09055, second order), as the release trains it: 58.1.
DARTS_RNN = RnnArchitecture.from_release_string("0 2 1 1 1 1 1 3 2 0 5 2 3 0 5 1")

PUBLISHED = {"enas_rnn_release": ENAS_RNN_RELEASE, "darts": DARTS_RNN, "lstm": LstmBaseline()}
